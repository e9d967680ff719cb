import { sql, type SqlFragment } from 'rowcast'
import { foldedGlobs, looseMarks, looseMarksGlob } from './fold.ts'

/** Of annotations whose name has these words in it, whatever accents, ligatures and capitals either is written with. */
export function nameHas(words: string): SqlFragment {
  const globs = foldedGlobs(words)
  const fits = (text: SqlFragment): SqlFragment =>
    sql.join(
      globs.map((glob) => sql`${text} glob ${glob}`),
      ' or ',
    )
  // Few names have any: these alone are rid of them.
  const bare = looseMarks().reduce<SqlFragment>((text, mark) => sql`replace(${text}, ${mark}, '')`, sql`name`)
  return sql`(${fits(sql`name`)} or (name glob ${looseMarksGlob} and (${fits(bare)})))`
}
