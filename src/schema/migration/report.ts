import { MigrationError, type ValidationIssue } from '../../errors/index.ts'

const LIMIT = 100

/** Collects what is wrong: at most 100 issues are kept, all rows are counted. */
export class Report {
  readonly #issues: ValidationIssue[] = []
  #rows = 0

  add(issues: readonly ValidationIssue[]): void {
    this.#rows += 1
    for (const issue of issues) if (this.#issues.length < LIMIT) this.#issues.push(issue)
  }

  /** Throws MigrationError if there is anything to report. */
  throwIfAny(from: number, to: number): void {
    const first = this.#issues[0]
    if (!first) return
    const key =
      first.key === undefined
        ? ''
        : ` ${JSON.stringify(first.key, (_name, value: unknown) => (typeof value === 'bigint' ? `${value}` : value))}`
    const where = `table '${first.table}'${key}${first.path === '' ? '' : ` at '${first.path}'`}`
    throw new MigrationError(
      `migration from version ${from} to ${to}: the new schema refuses ${this.#rows} ${this.#rows === 1 ? 'row' : 'rows'}, ` +
        `the first: ${where}: ${first.message} (${first.keyword}). Nothing was changed: let the schema allow it, or deal with these rows ` +
        `in a function in migrations[${to}]${this.#issues.length === LIMIT ? ` (the first ${LIMIT} issues are listed)` : ''}`,
      { issues: this.#issues },
    )
  }
}
