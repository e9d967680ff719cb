/** One operation of the benchmark: what is there before, and where one clicks. */
export interface Operation {
  readonly name: string
  readonly title: string
  /** The ids of the buttons that are clicked, in order, before the first click that is measured. */
  readonly before: readonly string[]
  /** The same before each further one. */
  readonly again: readonly string[]
  /** A button, or `nth`: the link in this column of a row. `nth` counts on from row to row with each repetition. */
  readonly click: string | { readonly column: 2 | 3; readonly row: number; readonly step: number }
  /** How many rows there are afterwards; undefined where each repetition takes one away. */
  readonly rows?: number
  /** How often it is done before it is measured, and how often it is measured, in each round. */
  readonly warmUp: number
  readonly samples: number
}

const small = { warmUp: 5, samples: 16 }
const large = { warmUp: 1, samples: 4 }

// As js-framework-benchmark's keyed ones. There, every tenth row is updated of 1,000; older versions had 10,000.
export const operations: readonly Operation[] = [
  {
    name: 'create',
    title: 'create 1,000 rows',
    before: ['clear'],
    again: ['clear'],
    click: 'run',
    rows: 1_000,
    ...small,
  },
  { name: 'replace', title: 'replace 1,000 rows', before: ['run'], again: [], click: 'run', rows: 1_000, ...small },
  {
    name: 'update',
    title: 'update every 10th of 1,000 rows',
    before: ['run'],
    again: [],
    click: 'update',
    rows: 1_000,
    ...small,
  },
  {
    name: 'select',
    title: 'select a row of 1,000',
    before: ['run'],
    again: [],
    click: { column: 2, row: 2, step: 7 },
    rows: 1_000,
    ...small,
  },
  { name: 'swap', title: 'swap 2 rows of 1,000', before: ['run'], again: [], click: 'swaprows', rows: 1_000, ...small },
  {
    name: 'remove',
    title: 'remove a row of 1,000',
    before: ['run'],
    again: [],
    click: { column: 3, row: 4, step: 6 },
    ...small,
  },
  {
    name: 'append',
    title: 'append 1,000 rows to 1,000',
    before: ['run'],
    again: ['run'],
    click: 'add',
    rows: 2_000,
    ...small,
  },
  { name: 'clear', title: 'clear 1,000 rows', before: ['run'], again: ['run'], click: 'clear', rows: 0, ...small },
  {
    name: 'create-many',
    title: 'create 10,000 rows',
    before: ['clear'],
    again: ['clear'],
    click: 'runlots',
    rows: 10_000,
    ...large,
  },
  {
    name: 'update-many',
    title: 'update every 10th of 10,000 rows',
    before: ['runlots'],
    again: [],
    click: 'update',
    rows: 10_000,
    warmUp: 2,
    samples: 8,
  },
]
