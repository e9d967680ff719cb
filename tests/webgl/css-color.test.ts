import { cssColor } from 'rowcast/webgl'
import { expect, test } from 'vitest'

test.each([
  ['#f0a', [255, 0, 170, 255]],
  ['#F0A8', [255, 0, 170, 136]],
  ['#102030', [16, 32, 48, 255]],
  ['#10203040', [16, 32, 48, 64]],
  ['rgb(1, 2, 300)', [1, 2, 255, 255]],
  ['rgba(1,2,3,0.5)', [1, 2, 3, 128]],
  [' RGB(100% 0% 50% / 20%) ', [255, 0, 128, 51]],
  ['transparent', [0, 0, 0, 0]],
  [undefined, [0, 0, 0, 0]],
  [null, [0, 0, 0, 0]],
] as const)('%s is read', (text, bytes) => {
  expect(cssColor(text)).toEqual(bytes)
})

test.each(['', '#12', '#12345', '#ggg', 'red', 'rgb(1 2)', 'rgb(1, 2, x)', 'hsl(1 2% 3%)', 7])(
  '%s is refused',
  (text) => {
    expect(() => cssColor(text)).toThrow(RangeError)
  },
)
