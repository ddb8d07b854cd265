use std::process::ExitCode;

#[cfg(feature = "local")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    if let Some(missing) = missing() {
        eprintln!(
            "dbjob was built for processors with {missing}, which this one lacks: see \"Older processors\" in docs/performance.md"
        );
        return ExitCode::from(2);
    }
    dbjob::cli::main()
}

/// What this build expects of the processor and does not find. Asked of the processor itself: the standard library takes
/// for granted what the build expects.
#[cfg(all(target_arch = "x86_64", target_feature = "avx2"))]
fn missing() -> Option<&'static str> {
    use std::arch::x86_64::{__cpuid, __cpuid_count};
    let bit = |register: u32, at: u32| register >> at & 1 == 1;
    if __cpuid(0).eax < 7 {
        return Some("AVX2");
    }
    let (first, extended) = (__cpuid(1), __cpuid_count(7, 0));
    let found = [
        ("FMA", bit(first.ecx, 12)),
        ("AVX", bit(first.ecx, 28)),
        ("AVX2", bit(extended.ebx, 5)),
        ("BMI1", bit(extended.ebx, 3)),
        ("BMI2", bit(extended.ebx, 8)),
    ];
    found.iter().find(|(_, there)| !there).map(|(name, _)| *name)
}

#[cfg(not(all(target_arch = "x86_64", target_feature = "avx2")))]
fn missing() -> Option<&'static str> {
    None
}
