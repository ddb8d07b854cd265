//! Files as a query writes them.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::sync::{Arc, Mutex, PoisonError};

use polars::io::utils::file::WritableTrait;

use crate::packing::Packer;

/// Why a file could not be written. What the query itself says of it depends on the format, and may be less.
#[derive(Clone, Default)]
pub(super) struct Failure(Arc<Mutex<Option<String>>>);

impl Failure {
    pub fn get(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn seen<T>(&self, result: io::Result<T>) -> io::Result<T> {
        result.inspect_err(|e| {
            if !matches!(e.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) {
                self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| e.to_string());
            }
        })
    }
}

/// A file that remembers its first failure.
pub(super) struct Writer {
    file: Box<dyn WritableTrait + Send>,
    failure: Failure,
}

impl Writer {
    pub fn new(file: impl WritableTrait + Send + 'static, failure: &Failure) -> Self {
        Self { file: Box::new(file), failure: failure.clone() }
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.failure.seen(self.file.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.failure.seen(self.file.flush())
    }
}

impl WritableTrait for Writer {
    fn close(&mut self) -> io::Result<()> {
        self.failure.seen(self.file.close())
    }

    fn sync_all(&self) -> io::Result<()> {
        self.failure.seen(self.file.sync_all())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.failure.seen(self.file.sync_data())
    }
}

/// What is written to it goes to the file as it is. The file is synced once it is whole.
pub(super) struct Plain(pub File);

impl Write for Plain {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl WritableTrait for Plain {
    fn close(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn sync_all(&self) -> io::Result<()> {
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }
}

/// What is written to it goes to the file packed.
pub(super) struct Packed(pub Option<Packer>);

impl Write for Packed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.as_mut().ok_or_else(|| io::Error::other("the archive is closed"))?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl WritableTrait for Packed {
    fn close(&mut self) -> io::Result<()> {
        self.0.take().map_or(Ok(()), |packer| packer.finish().map(drop))
    }

    fn sync_all(&self) -> io::Result<()> {
        // The file is synced once it is whole.
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.sync_all()
    }
}
