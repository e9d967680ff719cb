// The works by their names, in the order of the table. 6, 9, 11 and 12 of the plan are not here yet.
import type { Work } from '../work.ts'
import { draft } from './draft.ts'
import { heap } from './heap.ts'
import { insert } from './insert.ts'
import { mount } from './mount.ts'
import { query, queryLarge } from './query.ts'
import { slider, sliderCrowd } from './slider.ts'
import { transaction } from './transaction.ts'

export const works: readonly Work[] = [insert, slider, sliderCrowd, mount, query, queryLarge, draft, transaction, heap]
