//! Panics: a fault of the program ends as an error of its class, with what the panic said and where, and no abort.

use std::{
    any::Any,
    panic::{self, AssertUnwindSafe, PanicHookInfo},
    sync::{Mutex, PoisonError},
};

use crate::Error;

/// What the last panic said and where, in whatever thread: a scope's own panic repeats neither.
static LAST: Mutex<Option<String>> = Mutex::new(None);

/// Has panics logged in a line, in place of the standard library's two; those of threads that nobody waits for end there.
pub fn listen() {
    panic::set_hook(Box::new(|info: &PanicHookInfo<'_>| {
        let place = info.location().map_or_else(String::new, |place| format!(", at {place}"));
        let said = format!("{}{place}", text(info.payload()));
        tracing::error!("panic: {said}");
        *LAST.lock().unwrap_or_else(PoisonError::into_inner) = Some(said);
    }));
}

/// Does the work; a panic in it, or in threads it waits for, is a fault of the program.
///
/// # Errors
/// Those of the work, and [`base::error::Class::Program`].
pub fn caught<T>(work: impl FnOnce() -> crate::Result<T>) -> crate::Result<T> {
    panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let last = LAST.lock().unwrap_or_else(PoisonError::into_inner).take();
        Err(Error::program(last.unwrap_or_else(|| text(&*panic))).context("panic"))
    })
}

/// What a panic said, on one line.
fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("without a reason").lines().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::exit;

    #[test]
    fn a_panic_is_a_fault_of_the_program_that_says_what_to_report() {
        let number = |text: &str| -> crate::Result<u32> { Ok(text.parse().unwrap()) };
        assert_eq!(caught(|| number("7")).unwrap(), 7);
        let error = caught(|| number("seven")).unwrap_err();
        assert_eq!(exit::code(&error), 70);
        let said = error.to_string();
        assert!(said.starts_with("panic: ") && said.contains("InvalidDigit") && said.contains("report"), "{said}");
        let usage = caught::<()>(|| Err(exit::Usage("no such month".into()).into())).unwrap_err();
        assert_eq!((exit::code(&usage), usage.to_string()), (2, "no such month".into()));
    }
}
