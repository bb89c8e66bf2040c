//! The scalar reference, written from SPEC.md alone.
