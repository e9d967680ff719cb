import type { SqlQuery } from 'rowcast'
import type { Random } from '../../support/random.ts'
import { PATHS, randomValue } from './history-values.ts'

/** A filter of items, not checked. */
export type Where = Readonly<Record<string, unknown>>

/** What `find` and `live` take. */
export interface FindOptions {
  readonly where?: Where
  readonly orderBy?: readonly string[]
  readonly limit?: number
  readonly offset?: number
}

const patterns = [
  { like: 'a%' },
  { like: '%B%' },
  { like: '_' },
  { startsWith: 'a' },
  { startsWith: '\uD7FF' },
  { contains: 'b' },
  { contains: '' },
]

/** One condition on an item. It may be one that the path can't take. */
export function randomCondition(random: Random): Where {
  const path = random.pick(PATHS)!
  const value = (): unknown => randomValue(random, path)
  switch (random.int(8)) {
    case 0:
      return { [path]: { isNull: random.chance(50) } }
    case 1:
      return { [path]: { in: [value(), value(), ...(random.chance(30) ? [null] : [])] } }
    case 2:
      return { [path]: { notIn: [value()] } }
    case 3:
      return { [path]: { [random.pick(['gt', 'gte', 'lt', 'lte', 'ne'] as const)]: value() } }
    case 4:
      return { [path]: { between: [value(), value()] } }
    case 5:
      return { [path]: random.chance(30) ? null : value() }
    case 6:
      return { [random.pick(['text', 'label.text', 'mixed', 'extra', 'b'] as const)]: random.pick(patterns) }
    default:
      return random.pick([{ label: { isNull: true } }, { label: null }, { 'label.font': { isNull: false } }])!
  }
}

export function randomWhere(random: Random, depth = 0): Where {
  if (depth > 2 || random.chance(50)) return randomCondition(random)
  if (random.chance(30)) return { not: randomWhere(random, depth + 1) }
  return { [random.pick(['and', 'or'] as const)]: [randomWhere(random, depth + 1), randomWhere(random, depth + 1)] }
}

/** Which items, in which order: with windows that are empty, that run short, and that begin behind what is kept. */
export function randomOptions(random: Random): FindOptions {
  const order = (): string => (random.chance(40) ? '-' : '') + random.pick(PATHS)!
  return {
    ...(random.chance(75) && { where: randomWhere(random) }),
    ...(random.chance(75) && { orderBy: Array.from({ length: 1 + random.int(3) }, order) }),
    ...(random.chance(65) && { limit: random.int(8) }),
    ...(random.chance(35) && { offset: random.pick([0, 1, 3, 12, 2_500]) }),
  }
}

/** Joins, windows, aggregates, CTEs, set operations, subqueries, table functions, what indexes cover and what they don't. */
const statements: readonly (readonly [sql: string, ...parameters: unknown[]])[] = [
  ['select count(*) from item'],
  ['select a, b from item'],
  ['select rank from item'],
  ['select big from item'],
  ['select label_text from item'],
  ['select slug from flag'],
  ['select * from item order by a, b'],
  ['select b from item order by size, a, b'],
  ['select a from item where text like ? order by a, b', 'a%'],
  ['select text from item where rank = 3 or groupId = ? or big = 7 order by a, b', 'g1'],
  ['select count(*) from item where text = ? and "on"', 'a'],
  ['select distinct text from item order by text collate nocase, text'],
  ['select max(rank), min(rank) from item'],
  ['select max(big) from item'],
  ['select min(label_text) from item'],
  ['select typeof(big) as type, big from item where big is not null order by big, a, b'],
  ['select groupId, sum(size) as s from item group by groupId having count(text) > 1 order by 1'],
  ['select g.name, i.a from "group" g left join item i on i.groupId = g.id order by g.id, i.a, i.b'],
  ['select i.a as x, j.a as y from item i join item j on i.rank = j.size order by 1, 2'],
  ['select id from "group" where exists (select 1 from item where groupId = "group".id and "on")'],
  ['select id from "group" where not exists (select 1 from item where groupId = "group".id and rank > ?)', 2],
  ['select exists(select 1 from item where label_font_name = ?) as e', 'q'],
  ['select avg(weight) from "group" where id in (select groupId from wide)'],
  ['values ((select count(*) from wide where groupId in (select id from "group" where weight = 3)))'],
  ['select title, (select max(value) from wide) as top from scene'],
  ['select count(*) over () as c, a from item where mixed in (select count from flag) order by a, b'],
  ['select a, row_number() over (partition by b order by rank, a, b) as n from item order by a, b'],
  ['select lag(rank) over w as before from item window w as (order by a, b)'],
  ["select group_concat(text, '|') from (select text from item where groupId = 'g1' order by rank, a, b)"],
  [
    `with recursive c(n) as (select 0 union all select n + 1 from c where n < 6)
     select n, (select count(*) from item where a = n and label_weight > 2) as k from c`,
  ],
  ['select id from wide union select a from item order by 1'],
  ['select id from wide except select a from item order by 1'],
  ['select id, value from wide where id > ? order by id desc limit 3', 2],
  ['select name, "on" from flag where slug >= \'b\' or name = \'a\' order by name, "on"'],
  ['select a, b, value from item, json_each(item.tags) order by 1, 2, 3'],
  ["select json_extract(_rest, '$.extra') as x, count(*) from item group by 1 order by 1"],
  ["select json_extract(meta, '$.k') as x from item where label_font order by a, b limit 4 offset 1"],
  ['select (rank, a) = (3, 2) as t, case when "on" then text else label_text end as u from item order by a, b'],
]

export function randomSql(random: Random): SqlQuery {
  const [sql, ...parameters] = random.pick(statements)!
  return { sql, parameters }
}
