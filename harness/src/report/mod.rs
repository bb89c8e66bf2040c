//! stub until the branch with the report is merged
pub fn write(_: &crate::statistics::Statistics, _: &std::path::Path, _: &std::path::Path) -> anyhow::Result<()> {
    Ok(())
}
