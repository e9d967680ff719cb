import { cssColor, linearColor } from 'rowcast/webgl'
import { Color } from 'three'
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
  ['Tomato', [255, 99, 71, 255]],
  ['hsl(120 100% 50%)', [0, 255, 0, 255]],
  ['hsla(120, 100%, 50%, 0.5)', [0, 255, 0, 128]],
  ['hwb(240 0% 0%)', [0, 0, 255, 255]],
  ['rgb(none 128 0)', [0, 128, 0, 255]],
  ['rgb(255 0 0 / none)', [255, 0, 0, 0]],
  ['HSL(120 100% 50% /NONE )', [0, 255, 0, 0]],
  ['hsl(120 none 50%)', [128, 128, 128, 255]],
  ['hsl(120 -50% 50%)', [128, 128, 128, 255]],
  ['lch(50% -20 50)', [119, 119, 119, 255]],
  ['oklch(100% 0 0)', [255, 255, 255, 255]],
  ['lab(0% 200 0)', expect.arrayContaining([255])],
  [undefined, [0, 0, 0, 0]],
  [null, [0, 0, 0, 0]],
] as const)('%s is read', (text, bytes) => {
  expect(cssColor(text)).toEqual(bytes)
})

test.each(['', '#12', '#12345', '#ggg', 'redd', 'rgb(1 2)', 'rgb(1, 2, x)', 'hsl(1 2%)', 'url(x)', 'inherit', 7])(
  '%s is refused',
  (text) => {
    expect(() => cssColor(text)).toThrow(RangeError)
  },
)

test.each(['#f0a', 'tomato', 'rgb(10%, 20%, 30%)', 'rebeccapurple'])('%s is linear as three.js has it', (text) => {
  const { r, g, b } = new Color(text)
  for (const [at, part] of [r, g, b].entries()) expect(linearColor(text)[at]).toBeCloseTo(part, 5)
})

test('an absent colour is black in linear light, and what is none is refused', () => {
  expect(linearColor(undefined)).toEqual([0, 0, 0])
  expect(() => linearColor('redd')).toThrow(RangeError)
})
