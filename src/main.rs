use std::process::ExitCode;

fn main() -> ExitCode {
    dbjob::cli::main()
}
