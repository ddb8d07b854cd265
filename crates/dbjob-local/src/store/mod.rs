//! Object stores that speak the protocol of S3. Where they are and who asks is said by the usual `AWS_*` environment
//! variables; nothing of those is ever shown.

mod error;
mod find;
mod read;
mod waiting;
mod write;

use std::sync::Arc;
use std::time::Duration;

use dbjob_plan::{OBJECTS, RunError};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::{BackoffConfig, RetryConfig};

pub(crate) use find::Object;
pub(crate) use write::upload;

/// `s3://bucket/key`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub bucket: String,
    /// Also a pattern, or a folder of keys.
    pub key: String,
}

impl Place {
    /// Errors: E0742 for a URL without a bucket or a key.
    pub fn parse(url: &str) -> Result<Self, RunError> {
        let path = url.strip_prefix(OBJECTS).unwrap_or_default();
        match path.split_once('/') {
            Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() => {
                Ok(Self { bucket: bucket.to_owned(), key: key.to_owned() })
            }
            _ => Err(RunError::new("E0742", format!("{url:?} names no object"))
                .help("write \"s3://bucket/key\", or \"s3://bucket/folder/*.csv\"")),
        }
    }
}

/// A bucket of a store.
#[derive(Clone)]
pub(crate) struct Store {
    client: Arc<AmazonS3>,
    bucket: String,
}

impl Store {
    /// Reads the environment; asks nobody.
    ///
    /// Errors: E0740, E0741.
    pub fn open(bucket: &str) -> Result<Self, RunError> {
        let retry = RetryConfig {
            backoff: BackoffConfig {
                init_backoff: Duration::from_millis(200),
                max_backoff: Duration::from_secs(5),
                base: 2.0,
            },
            max_retries: 4,
            retry_timeout: Duration::from_secs(60),
        };
        let client = AmazonS3Builder::from_env().with_bucket_name(bucket).with_retry(retry).build();
        let client = client.map_err(|e| error::settings(&e))?;
        Ok(Self { client: Arc::new(client), bucket: bucket.to_owned() })
    }

    fn url(&self, key: &str) -> String {
        format!("{OBJECTS}{}/{key}", self.bucket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let place = |url| Place::parse(url).ok().map(|p| (p.bucket, p.key));
        assert_eq!(place("s3://shop/a/b.csv"), Some(("shop".into(), "a/b.csv".into())));
        for wrong in ["s3://shop", "s3://shop/", "s3:///a.csv", "s3://"] {
            assert_eq!(place(wrong), None, "{wrong}");
        }
    }
}
