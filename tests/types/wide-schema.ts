/**
 * A table as wide as real ones, 105 attributes over three levels, and what is typically done with it: the cost of its
 * types is pinned in instantiations.test.ts.
 * @module
 */
import type { LeafPathOf } from '../../src/schema/types/index.ts'
import { type Equal, expectType } from '../support/expect-type.ts'
import { define, open } from './table-like.ts'

const schema = define({
  version: 1,
  tables: {
    layer: {
      primaryKey: 'id',
      schema: { type: 'object', required: ['id'], properties: { id: { type: 'string' }, name: { type: 'string' } } },
    },
    annotation: {
      primaryKey: 'id',
      indexes: [['layerId', 'rank'], ['text.font.size']],
      unique: [['slug']],
      references: { layerId: { table: 'layer', onDelete: 'setNull' } },
      schema: {
        type: 'object',
        required: ['id'],
        properties: {
          id: { type: 'string' },
          layerId: { type: ['string', 'null'] },
          slug: { type: 'string' },
          name: { type: 'string', default: '' },
          kind: { enum: ['pin', 'area', 'line', 'model'], default: 'pin' },
          rank: { type: 'integer', default: 0 },
          locked: { type: 'boolean', default: false },
          createdAt: { type: 'integer', format: 'int64' },
          author: { type: 'string' },
          tags: { type: 'array', items: { type: 'string' } },
          meta: { type: 'object' },
          position: {
            type: 'object',
            properties: {
              x: { type: 'number', default: 0 },
              y: { type: 'number', default: 0 },
              z: { type: 'number', default: 0 },
            },
          },
          rotation: {
            type: 'object',
            properties: {
              x: { type: 'number', default: 0 },
              y: { type: 'number', default: 0 },
              z: { type: 'number', default: 0 },
            },
          },
          scale: {
            type: 'object',
            properties: {
              x: { type: 'number', default: 1 },
              y: { type: 'number', default: 1 },
              z: { type: 'number', default: 1 },
              mode: { enum: ['world', 'screen'], default: 'world' },
              min: { type: 'number', default: 0.1 },
              max: { type: 'number', default: 10 },
            },
          },
          visibility: {
            type: 'object',
            properties: {
              visible: { type: 'boolean', default: true },
              opacity: { type: 'number', default: 1, minimum: 0, maximum: 1 },
              minZoom: { type: 'number', default: 0 },
              maxZoom: { type: 'number', default: 24 },
              minDistance: { type: 'number', default: 0 },
              maxDistance: { type: 'number', default: 10000 },
              occluded: { enum: ['hide', 'fade', 'show'], default: 'hide' },
              fade: {
                type: 'object',
                properties: {
                  in: { type: 'number', default: 200 },
                  out: { type: 'number', default: 200 },
                  easing: { enum: ['linear', 'ease'], default: 'linear' },
                },
              },
            },
          },
          icon: {
            type: 'object',
            properties: {
              name: { type: 'string', default: 'pin' },
              image: { type: 'string', contentEncoding: 'base64' },
              color: { type: 'string', default: '#e33' },
              size: { type: 'number', default: 24, minimum: 1 },
              rotation: { type: 'number', default: 0 },
              anchor: {
                type: 'object',
                properties: {
                  x: { type: 'number', default: 0.5 },
                  y: { type: 'number', default: 1 },
                },
              },
              outline: {
                type: 'object',
                properties: {
                  enabled: { type: 'boolean', default: false },
                  color: { type: 'string', default: '#fff' },
                  width: { type: 'number', default: 1 },
                },
              },
              shadow: {
                type: 'object',
                properties: {
                  enabled: { type: 'boolean', default: false },
                  color: { type: 'string', default: '#000000' },
                  blur: { type: 'number', default: 4, minimum: 0 },
                  offsetX: { type: 'number', default: 0 },
                  offsetY: { type: 'number', default: 2 },
                },
              },
              badge: {
                type: 'object',
                properties: {
                  text: { type: 'string' },
                  color: { type: 'string', default: '#fff' },
                  background: { type: 'string', default: '#d00' },
                  corner: { enum: ['topRight', 'topLeft', 'bottomRight', 'bottomLeft'], default: 'topRight' },
                },
              },
            },
          },
          text: {
            type: 'object',
            properties: {
              value: { type: 'string' },
              align: { enum: ['left', 'center', 'right'], default: 'left' },
              baseline: { enum: ['middle', 'top', 'bottom'], default: 'middle' },
              maxWidth: { type: 'number', default: 240 },
              wrap: { type: 'boolean', default: true },
              color: { type: 'string', default: '#222' },
              font: {
                type: 'object',
                properties: {
                  family: { type: 'string', default: 'sans-serif' },
                  size: { type: 'number', default: 12, minimum: 4, maximum: 200 },
                  weight: { type: 'integer', default: 400 },
                  italic: { type: 'boolean', default: false },
                  lineHeight: { type: 'number', default: 1.2 },
                  letterSpacing: { type: 'number', default: 0 },
                },
              },
              halo: {
                type: 'object',
                properties: {
                  enabled: { type: 'boolean', default: true },
                  color: { type: 'string', default: '#fff' },
                  width: { type: 'number', default: 2 },
                },
              },
              background: {
                type: 'object',
                properties: {
                  enabled: { type: 'boolean', default: false },
                  color: { type: 'string', default: '#fff' },
                  opacity: { type: 'number', default: 0.8 },
                  radius: { type: 'number', default: 4 },
                  padding: { type: 'number', default: 6 },
                },
              },
              shadow: {
                type: 'object',
                properties: {
                  enabled: { type: 'boolean', default: false },
                  color: { type: 'string', default: '#000000' },
                  blur: { type: 'number', default: 4, minimum: 0 },
                  offsetX: { type: 'number', default: 0 },
                  offsetY: { type: 'number', default: 2 },
                },
              },
              offset: {
                type: 'object',
                properties: {
                  x: { type: 'number', default: 0 },
                  y: { type: 'number', default: 0 },
                },
              },
            },
          },
          leader: {
            type: 'object',
            properties: {
              enabled: { type: 'boolean', default: true },
              color: { type: 'string', default: '#555' },
              width: { type: 'number', default: 1 },
              dash: { type: 'array', items: { type: 'number' } },
              curve: { enum: ['straight', 'elbow', 'bezier'], default: 'straight' },
              points: {
                type: 'array',
                items: {
                  type: 'object',
                  required: ['x', 'y'],
                  properties: { x: { type: 'number' }, y: { type: 'number' } },
                },
              },
              start: {
                type: 'object',
                properties: {
                  cap: { enum: ['none', 'dot', 'arrow'], default: 'none' },
                  size: { type: 'number', default: 4 },
                },
              },
              end: {
                type: 'object',
                properties: {
                  cap: { enum: ['dot', 'none', 'arrow'], default: 'dot' },
                  size: { type: 'number', default: 4 },
                  snap: { type: 'boolean', default: true },
                },
              },
            },
          },
          interaction: {
            type: 'object',
            properties: {
              selectable: { type: 'boolean', default: true },
              draggable: { type: 'boolean', default: false },
              cursor: { type: 'string', default: 'pointer' },
              tooltip: {
                type: 'object',
                properties: {
                  enabled: { type: 'boolean', default: false },
                  text: { type: 'string' },
                  delay: { type: 'number', default: 300 },
                },
              },
              hover: {
                type: 'object',
                properties: {
                  scale: { type: 'number', default: 1.1 },
                  color: { type: 'string', default: '#fc0' },
                },
              },
            },
          },
          animation: {
            type: 'object',
            properties: {
              enabled: { type: 'boolean', default: false },
              kind: { enum: ['pulse', 'bounce', 'spin'], default: 'pulse' },
              duration: { type: 'number', default: 1000 },
              loop: { type: 'boolean', default: true },
            },
          },
          link: {
            type: 'object',
            properties: {
              href: { type: 'string' },
              target: { enum: ['_blank', '_self'], default: '_blank' },
              label: { type: 'string' },
            },
          },
        },
      },
    },
  },
})

const table = open(schema).table('annotation')
table.insert({ id: 'a', text: { value: 'Tower', font: { size: 14 } }, leader: { points: [{ x: 0, y: 1 }] } })
table.set('a', 'text.font.size', 18)
table.set('a', 'leader.points.0.x', 18)
table.set('a', ['icon', 'badge', 'corner'], 'topLeft')
table.update('a', { icon: { shadow: { blur: 8 } }, visibility: { fade: undefined } })
table.find({ where: { layerId: 'roads', 'text.font.size': { gt: 10 }, or: [{ 'link.href': { like: '%.org%' } }] } })
table.find({ orderBy: ['-rank', 'text.font.weight'] })
expectType<Equal<ReturnType<typeof table.value<'text.font.weight'>>, number>>()
expectType<Equal<ReturnType<typeof table.value<'icon.image'>>, Uint8Array | undefined>>()
expectType<
  Equal<
    Extract<LeafPathOf<typeof schema, 'annotation'>, `leader.end${string}`>,
    'leader.end.cap' | 'leader.end.size' | 'leader.end.snap'
  >
>()
const size: number | undefined = table.get('a')?.text.font.size
void size
// @ts-expect-error a number, not a text
table.set('a', 'text.font.size', '18')
// @ts-expect-error no such path
table.set('a', 'text.font.sise', 18)
