//! Keeps a decoder from ending the program by a panic, or from keeping it without end: damaged files reach assertions and
//! loops of other crates.

use std::{
    any::Any,
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook},
    sync::{Once, mpsc},
    thread,
    time::Duration,
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

/// How long a decoder may take for a footer: some take a millisecond.
const PATIENCE: Duration = Duration::from_secs(60);

/// [`guarded`], of a file's footer. A decoder that has not ended after a minute is left to itself until the program ends.
///
/// # Errors
/// Those of `decode`, and [`InputError::Damaged`].
pub fn guarded_footer<T: Send + 'static, E>(
    format: &'static str,
    decode: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, InputError>
where
    InputError: From<E>,
{
    patient(PATIENCE, format, decode)
}

fn patient<T: Send + 'static, E>(
    patience: Duration,
    format: &'static str,
    decode: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, InputError>
where
    InputError: From<E>,
{
    let (sender, done) = mpsc::sync_channel(1);
    // Nobody may be waiting any more.
    thread::Builder::new().spawn(move || drop(sender.send(guarded(format, decode))))?;
    let found = || format!("its footer kept the decoder busy for {} s", patience.as_secs());
    done.recv_timeout(patience).unwrap_or_else(|_| Err(InputError::Damaged { format, found: found() }))
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

    #[test]
    fn a_footer_that_is_not_decoded_in_time_is_an_error() {
        let (go_on, waits) = mpsc::channel::<()>();
        let busy = move || if waits.recv().is_ok() { Ok::<_, InputError>(7) } else { Err(InputError::Empty) };
        let error = patient(Duration::from_millis(50), "Parquet", busy).unwrap_err().to_string();
        assert!(error.contains("its footer kept the decoder busy"), "{error}");
        drop(go_on);
        assert_eq!(guarded_footer("Parquet", || Ok::<_, InputError>(7)).unwrap(), 7);
        assert!(matches!(guarded_footer("Parquet", || Err::<(), _>(InputError::Empty)), Err(InputError::Empty)));
        let panicking = || -> Result<(), InputError> { panic!("no footer") };
        assert!(guarded_footer("Parquet", panicking).unwrap_err().to_string().contains("no footer"));
    }
}
