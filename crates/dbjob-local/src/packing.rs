//! Packed files: gzip and Zstandard. The ending of a name alone says whether a file is packed.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use dbjob_plan::{Cancel, RunError};
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

use crate::sink::unwritable;
use crate::source::files::{place, shown, unreadable};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    Gzip,
    Zstd,
}

/// How much is unpacked between two looks at whether to stop.
const STEP: usize = 1 << 18;

impl Packing {
    pub fn of(name: &Path) -> Option<Self> {
        match name.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "gz" => Some(Self::Gzip),
            "zst" => Some(Self::Zstd),
            _ => None,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "Zstandard",
        }
    }

    /// Whether a file may begin so. A frame of Zstandard may be one that is skipped.
    fn begins(self, head: &[u8]) -> bool {
        match self {
            Self::Gzip => head.starts_with(&[0x1F, 0x8B]),
            Self::Zstd => matches!(head, [0x28, 0xB5, 0x2F, 0xFD, ..] | [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..]),
        }
    }

    fn reader<'a>(self, packed: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
        Ok(match self {
            Self::Gzip => Box::new(MultiGzDecoder::new(BufReader::with_capacity(STEP, packed))),
            Self::Zstd => Box::new(zstd::Decoder::new(packed)?),
        })
    }

    /// Packs what is written to it; [`Packer::finish`] ends the archive.
    pub fn writer(self, file: File) -> io::Result<Packer> {
        Ok(match self {
            Self::Gzip => Packer::Gzip(GzEncoder::new(file, Compression::default())),
            Self::Zstd => Packer::Zstd(zstd::Encoder::new(file, zstd::DEFAULT_COMPRESSION_LEVEL)?),
        })
    }
}

pub(crate) enum Packer {
    Gzip(GzEncoder<File>),
    Zstd(zstd::Encoder<'static, File>),
}

impl Packer {
    pub fn finish(self) -> io::Result<File> {
        match self {
            Self::Gzip(encoder) => encoder.finish(),
            Self::Zstd(encoder) => encoder.finish(),
        }
    }
}

impl Write for Packer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Gzip(encoder) => encoder.write(bytes),
            Self::Zstd(encoder) => encoder.write(bytes),
        }
    }

    /// Nothing: an archive that is flushed in the middle is larger, and is not whole before its end anyway.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How far an archive was unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unpacked {
    Whole,
    /// There is more.
    Head,
}

/// How much of an archive is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Want {
    All,
    /// So many bytes of the contents. The archive may be cut off itself.
    Head(u64),
}

/// Unpacks `from` into the new file `to`. In messages it is called `name`.
///
/// Errors: E0701, E0712, E0713, E0718.
pub(crate) fn unpack(
    packing: Packing,
    (from, name): (&Path, &Path),
    to: &Path,
    want: Want,
    cancel: &Cancel,
) -> Result<Unpacked, RunError> {
    let cannot_read = |e: io::Error| unreadable(name, &e.to_string());
    let cannot_write = |e: io::Error| unwritable(to, &e.to_string());
    let mut packed = File::open(from).map_err(cannot_read)?;
    let mut head = Vec::new();
    Read::by_ref(&mut packed).take(4).read_to_end(&mut head).map_err(cannot_read)?;
    if !packing.begins(&head) {
        let message = format!("{} is no {} file, whatever its name ends in", shown(name), packing.word());
        return Err(RunError::new("E0712", message)
            .help("give it a name without that ending, or pack it again")
            .data(place(name)));
    }
    let mut reader = packing.reader(head.as_slice().chain(packed)).map_err(cannot_read)?;
    let mut file = File::create(to).map_err(cannot_write)?;
    let mut buffer = vec![0; STEP];
    let mut left = match want {
        Want::All => u64::MAX,
        Want::Head(bytes) => bytes,
    };
    loop {
        if cancel.is_cancelled() {
            return Err(RunError::new("E0718", "the run was stopped"));
        }
        let room = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        if room == 0 {
            return Ok(Unpacked::Head);
        }
        match reader.read(&mut buffer[..room]) {
            Ok(0) => return Ok(Unpacked::Whole),
            Ok(n) => {
                file.write_all(&buffer[..n]).map_err(cannot_write)?;
                left -= n as u64;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) if e.raw_os_error().is_some() => return Err(cannot_read(e)),
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof && want != Want::All => return Ok(Unpacked::Head),
            Err(e) => {
                let why = match e.kind() {
                    io::ErrorKind::UnexpectedEof => "it ends too early".to_owned(),
                    _ => e.to_string(),
                };
                return Err(RunError::new(
                    "E0712",
                    format!("{} is damaged: it cannot be unpacked ({why})", shown(name)),
                )
                .help("fetch it or pack it again")
                .data(place(name)));
            }
        }
    }
}
