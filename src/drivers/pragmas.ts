/** What every database is opened with: foreign keys hold, and REPLACE fires delete triggers, so that it is captured. */
const always = 'PRAGMA foreign_keys=ON; PRAGMA recursive_triggers=ON; PRAGMA temp_store=MEMORY;'

/**
 * For a database that dies with the process: one owner, and no commit that waits for anything. SQLite's cache is 2 MB
 * unless told otherwise, and what misses it goes through the file system that sql.js emulates: up to 128 MB are kept.
 */
export const memoryPragmas: string = `PRAGMA cache_size=-131072; PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF; ${always}`

/** For a file: a commit that has returned survives a power cut. */
export const durablePragmas: string = `PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; ${always}`
