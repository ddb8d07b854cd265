//! Tables of PostgreSQL, MySQL, MariaDB and SQLite: read in chunks of bounded size, written in one transaction.
