//! The settings of `job`.

use dbjob_plan::{Said, Span};

use super::Job;
use super::check::Context;
use super::cluster;
use super::setting::Settings;
use crate::catalog::setting;
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{self, ItemKind};

/// The settings of the job's own file; a `job` in a used file is that file's own.
pub(super) fn settings(file: &ast::File, job: &mut Job, cx: &mut Context<'_>) {
    let mut first: Option<Span> = None;
    for item in file.items.iter().filter(|item| cx.program.home(item.span.file) == cx.program.root) {
        let ItemKind::Job { name, settings } = &item.kind else { continue };
        let here = name.as_ref().map_or(item.span, |n| n.span);
        if let Some(first) = first {
            let diagnostic = Diagnostic::error(Code::E0102, here, "a file has at most one `job`")
                .again()
                .related(first, "first here");
            cx.out.push(diagnostic);
            continue;
        }
        first = Some(here);
        if let Some(name) = name {
            job.name = name.name.clone();
        }
        let settings = cx.bind_settings(settings, setting::JOB);
        let settings = Settings::read(&settings, "`job`", setting::JOB, &mut cx.out);
        job.run_time = settings.duration("run_time").map(|said| said.value);
        job.seed = settings.get("seed", |v| v.as_i64()).map_or(0, |said| said.value);
        job.retries = settings.count("retries");
        job.cluster = cluster::named(settings.names("cluster"), cx);
        job.environment = settings
            .block("environment")
            .map(|(inner, span)| Said { value: cluster::environment(inner, &mut cx.out), span });
    }
}
