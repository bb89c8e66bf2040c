//! Synthetic months one can believe.
