//! Keeps a panic inside a decoder from ending the program: damaged files reach assertions of other crates.

use std::{
    any::Any,
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook},
    sync::Once,
};

use super::InputError;

thread_local! {
    /// Whether this thread is inside [`guarded`].
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs a decoder of `format` over bytes nobody vouches for; a panic becomes [`InputError::Damaged`] with its text,
/// and is not printed. The last resort: what can be checked is checked before.
///
/// # Errors
/// Those of `decode`, and [`InputError::Damaged`].
pub fn guarded<T, E>(format: &'static str, decode: impl FnOnce() -> Result<T, E>) -> Result<T, InputError>
where
    InputError: From<E>,
{
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let others = take_hook();
        set_hook(Box::new(move |panic| {
            if !GUARDED.get() {
                others(panic);
            }
        }));
    });
    let outer = GUARDED.replace(true);
    let decoded = catch_unwind(AssertUnwindSafe(decode));
    GUARDED.set(outer);
    decoded
        .map_err(|panic| InputError::Damaged { format, found: format!("the decoder gave up: {}", text(&*panic)) })?
        .map_err(InputError::from)
}

/// What a panic said, on one line.
fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("without a reason").lines().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_with_its_text_and_other_results_pass() {
        let panicking = |value: i64| {
            guarded(
                "Arrow",
                || if value < 0 { panic!("length {value}\nis negative") } else { Ok::<_, InputError>(value) },
            )
        };
        assert_eq!(panicking(7).unwrap(), 7);
        let error = panicking(-7).unwrap_err().to_string();
        assert!(error.contains("Arrow") && error.contains("length -7 is negative"), "{error}");
        assert!(!GUARDED.get());
        assert!(matches!(guarded("Arrow", || Err::<(), _>(InputError::Empty)), Err(InputError::Empty)));
    }
}
