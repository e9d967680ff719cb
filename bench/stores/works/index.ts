// The works by their names, in the order of the table. 11 is bench/react-table, 12 is growth.ts.
import type { Work } from '../work.ts'
import { draft } from './draft.ts'
import { heap, heapLarge } from './heap.ts'
import { insert } from './insert.ts'
import { join } from './join.ts'
import { leak } from './leak.ts'
import { loop, loopLarge } from './loop.ts'
import { mount } from './mount.ts'
import { query, queryLarge } from './query.ts'
import { slider, sliderCrowd, sliderCrowdSame } from './slider.ts'
import { transaction } from './transaction.ts'

export const works: readonly Work[] = [
  insert,
  slider,
  sliderCrowd,
  sliderCrowdSame,
  mount,
  query,
  queryLarge,
  loop,
  loopLarge,
  draft,
  transaction,
  join,
  heap,
  heapLarge,
  leak,
]
