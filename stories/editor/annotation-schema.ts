/**
 * The editor's schema, version 1: `annotation` (112 leaf attributes, nearly all at their defaults), the tree of
 * `layer`s, and the `scene`'s settings. Titles, ranges, steps and choices are what the property panels are made from.
 * Percentages are integers, since steps of 0.01 cannot be tested exactly in binary floating point.
 */
export const editorSchemaInput = {
  version: 1,
  tables: {
    annotation: {
      primaryKey: 'id',
      indexes: [['layerId', 'rank'], ['name']],
      references: { layerId: { table: 'layer', onDelete: 'setNull' } },
      schema: {
        type: 'object', required: ['id'], additionalProperties: false,
        properties: {
          id: {
            type: 'string', title: 'Id', description: 'Key of the annotation.', minLength: 1, maxLength: 64,
          },
          name: {
            type: 'string', title: 'Name', description: 'What lists and tables show.', maxLength: 200, default: '',
          },
          kind: {
            type: 'string', title: 'Kind', description: 'What the annotation marks.',
            enum: ['city', 'place', 'measure', 'note', 'area'], default: 'place',
          },
          note: {
            type: 'string', title: 'Note', description: 'Free text for the team.', maxLength: 4000, default: '',
          },
          layerId: {
            type: ['string', 'null'], title: 'Layer', description: 'Layer that holds the annotation.', default: null,
          },
          rank: {
            type: 'number', title: 'Rank', description: 'Higher ranks are labelled first.', minimum: 0, maximum: 100,
            multipleOf: 0.25, default: 0,
          },
          locked: {
            type: 'boolean', title: 'Locked', description: 'Protected from dragging.', default: false,
          },
          hidden: {
            type: 'boolean', title: 'Hidden', description: 'Not drawn at all.', default: false,
          },
          position: {
            type: 'object',
            title: 'Position',
            description: 'Where the annotation stands.',
            additionalProperties: false,
            properties: {
              lon: {
                type: 'number', title: 'Longitude', description: 'Degrees east.', minimum: -180, maximum: 180,
                default: 0,
              },
              lat: {
                type: 'number', title: 'Latitude', description: 'Degrees north.', minimum: -90, maximum: 90,
                default: 0,
              },
              altitude: {
                type: 'number', title: 'Altitude', description: 'Meters above sea level.', minimum: -12000,
                maximum: 100000, multipleOf: 1, default: 0,
              },
              heading: {
                type: 'number', title: 'Heading', description: 'Degrees clockwise from north.', minimum: -180,
                maximum: 180, multipleOf: 1, default: 0,
              },
              reference: {
                type: 'string', title: 'Reference', description: 'What the altitude is measured from.',
                enum: ['sea', 'ground', 'absolute'], default: 'sea',
              },
            },
          },
          icon: {
            type: 'object', title: 'Icon', description: 'The mark on the map.', additionalProperties: false,
            properties: {
              visible: {
                type: 'boolean', title: 'Visible', description: 'Draw the icon.', default: true,
              },
              shape: {
                type: 'string', title: 'Shape', description: 'Outline of the icon.',
                enum: ['circle', 'square', 'diamond', 'triangle', 'star', 'pin'], default: 'circle',
              },
              color: {
                type: 'string', title: 'Color', description: 'Fill color.', pattern: '^#[0-9a-f]{6}$',
                default: '#5cc0c7',
              },
              size: {
                type: 'number', title: 'Size', description: 'Width in pixels at scale 100 %.', minimum: 1,
                maximum: 128, multipleOf: 0.25, default: 6,
              },
              opacity: {
                type: 'integer', title: 'Opacity', description: 'Percent.', minimum: 0, maximum: 100, multipleOf: 1,
                default: 100,
              },
              rotation: {
                type: 'number', title: 'Rotation', description: 'Degrees clockwise.', minimum: -180, maximum: 180,
                multipleOf: 1, default: 0,
              },
              blend: {
                type: 'string', title: 'Blend', description: 'How overlapping icons mix.',
                enum: ['normal', 'add', 'multiply'], default: 'normal',
              },
              border: {
                type: 'object',
                title: 'Border',
                description: 'Stroke around the icon.',
                additionalProperties: false,
                properties: {
                  color: {
                    type: 'string', title: 'Color', description: 'Color of the border.', pattern: '^#[0-9a-f]{6}$',
                    default: '#0b1016',
                  },
                  width: {
                    type: 'number', title: 'Width', description: 'Pixels.', minimum: 0, maximum: 20, multipleOf: 0.25,
                    default: 1,
                  },
                  opacity: {
                    type: 'integer', title: 'Opacity', description: 'Percent.', minimum: 0, maximum: 100,
                    multipleOf: 1, default: 100,
                  },
                  style: {
                    type: 'string', title: 'Style', description: 'Pattern of the stroke.',
                    enum: ['solid', 'dashed', 'dotted'], default: 'solid',
                  },
                },
              },
              glow: {
                type: 'object',
                title: 'Glow',
                description: 'Halo of light around the icon.',
                additionalProperties: false,
                properties: {
                  visible: {
                    type: 'boolean', title: 'Visible', description: 'Draw the glow.', default: false,
                  },
                  color: {
                    type: 'string', title: 'Color', description: 'Glow color.', pattern: '^#[0-9a-f]{6}$',
                    default: '#ffffff',
                  },
                  radius: {
                    type: 'number', title: 'Radius', description: 'Pixels beyond the icon.', minimum: 0, maximum: 64,
                    multipleOf: 0.5, default: 8,
                  },
                  strength: {
                    type: 'integer', title: 'Strength', description: 'Percent.', minimum: 0, maximum: 100,
                    multipleOf: 1, default: 50,
                  },
                },
              },
              shadow: {
                type: 'object',
                title: 'Shadow',
                description: 'Soft shadow behind the icon.',
                additionalProperties: false,
                properties: {
                  visible: {
                    type: 'boolean', title: 'Visible', description: 'Draw the shadow.', default: false,
                  },
                  color: {
                    type: 'string', title: 'Color', description: 'Shadow color.', pattern: '^#[0-9a-f]{6}$',
                    default: '#000000',
                  },
                  opacity: {
                    type: 'integer', title: 'Opacity', description: 'Percent.', minimum: 0, maximum: 100,
                    multipleOf: 1, default: 60,
                  },
                  blur: {
                    type: 'number', title: 'Blur', description: 'Blur radius in pixels.', minimum: 0, maximum: 40,
                    multipleOf: 0.5, default: 4,
                  },
                  offsetX: {
                    type: 'number', title: 'Offset X', description: 'Pixels to the right.', minimum: -40, maximum: 40,
                    multipleOf: 0.5, default: 0,
                  },
                  offsetY: {
                    type: 'number', title: 'Offset Y', description: 'Pixels down.', minimum: -40, maximum: 40,
                    multipleOf: 0.5, default: 1,
                  },
                },
              },
            },
          },
          text: {
            type: 'object', title: 'Text', description: 'The label.', additionalProperties: false,
            properties: {
              visible: {
                type: 'boolean', title: 'Visible', description: 'Draw the label.', default: true,
              },
              value: {
                type: 'string', title: 'Value', description: 'What the label says; empty shows the name.',
                maxLength: 500, default: '',
              },
              color: {
                type: 'string', title: 'Color', description: 'Text color.', pattern: '^#[0-9a-f]{6}$',
                default: '#d5dee8',
              },
              size: {
                type: 'number', title: 'Size', description: 'Pixels.', minimum: 6, maximum: 96, multipleOf: 0.5,
                default: 12,
              },
              opacity: {
                type: 'integer', title: 'Opacity', description: 'Percent.', minimum: 0, maximum: 100, multipleOf: 1,
                default: 100,
              },
              anchor: {
                type: 'string', title: 'Anchor', description: 'Side of the icon on which the label stands.',
                enum: [
                  'center', 'top', 'right', 'bottom', 'left', 'top-right', 'bottom-right', 'bottom-left', 'top-left',
                ],
                default: 'right',
              },
              align: {
                type: 'string', title: 'Align', description: 'Alignment of several lines.',
                enum: ['left', 'center', 'right'], default: 'left',
              },
              transform: {
                type: 'string', title: 'Transform', description: 'Case of the letters.',
                enum: ['none', 'uppercase', 'lowercase', 'capitalize'], default: 'none',
              },
              maxWidth: {
                type: 'number', title: 'Max width', description: 'Pixels before the text is cut; 0 has no limit.',
                minimum: 0, maximum: 800, multipleOf: 1, default: 0,
              },
              lineHeight: {
                type: 'integer', title: 'Line height', description: 'Percent of the size.', minimum: 80, maximum: 300,
                multipleOf: 5, default: 120,
              },
              rotation: {
                type: 'number', title: 'Rotation', description: 'Degrees clockwise.', minimum: -180, maximum: 180,
                multipleOf: 1, default: 0,
              },
              font: {
                type: 'object', title: 'Font', description: 'Typeface.', additionalProperties: false,
                properties: {
                  family: {
                    type: 'string', title: 'Family', description: 'Typeface.',
                    enum: ['sans', 'serif', 'mono', 'condensed'], default: 'sans',
                  },
                  weight: {
                    type: 'integer', title: 'Weight', description: '100 thin to 900 black.', minimum: 100,
                    maximum: 900, multipleOf: 100, default: 500,
                  },
                  italic: {
                    type: 'boolean', title: 'Italic', description: 'Slanted letters.', default: false,
                  },
                  underline: {
                    type: 'boolean', title: 'Underline', description: 'Line below the letters.', default: false,
                  },
                  letterSpacing: {
                    type: 'number', title: 'Letter spacing', description: 'Pixels between letters.', minimum: -4,
                    maximum: 20, multipleOf: 0.25, default: 0,
                  },
                  smallCaps: {
                    type: 'boolean', title: 'Small caps', description: 'Small capitals for lower case.',
                    default: false,
                  },
                },
              },
              halo: {
                type: 'object',
                title: 'Halo',
                description: 'Outline that keeps text legible.',
                additionalProperties: false,
                properties: {
                  visible: {
                    type: 'boolean', title: 'Visible', description: 'Draw the halo.', default: true,
                  },
                  color: {
                    type: 'string', title: 'Color', description: 'Halo color.', pattern: '^#[0-9a-f]{6}$',
                    default: '#0b1016',
                  },
                  width: {
                    type: 'number', title: 'Width', description: 'Pixels.', minimum: 0, maximum: 12, multipleOf: 0.25,
                    default: 4,
                  },
                  opacity: {
                    type: 'integer', title: 'Opacity', description: 'Percent.', minimum: 0, maximum: 100,
                    multipleOf: 1, default: 90,
                  },
                },
              },
              background: {
                type: 'object',
                title: 'Background',
                description: 'Box behind the text.',
                additionalProperties: false,
                properties: {
                  visible: {
                    type: 'boolean', title: 'Visible', description: 'Draw the box.', default: false,
                  },
                  color: {
                    type: 'string', title: 'Color', description: 'Box color.', pattern: '^#[0-9a-f]{6}$',
                    default: '#18212b',
                  },
                  opacity: {
                    type: 'integer', title: 'Opacity', description: 'Percent.', minimum: 0, maximum: 100,
                    multipleOf: 1, default: 90,
                  },
                  paddingX: {
                    type: 'number', title: 'Padding X', description: 'Pixels left and right.', minimum: 0,
                    maximum: 40, multipleOf: 0.5, default: 6,
                  },
                  paddingY: {
                    type: 'number', title: 'Padding Y', description: 'Pixels above and below.', minimum: 0,
                    maximum: 40, multipleOf: 0.5, default: 3,
                  },
                  radius: {
                    type: 'number', title: 'Radius', description: 'Corner radius in pixels.', minimum: 0, maximum: 40,
                    multipleOf: 0.5, default: 4,
                  },
                  border: {
                    type: 'object',
                    title: 'Border',
                    description: 'Stroke of the box.',
                    additionalProperties: false,
                    properties: {
                      color: {
                        type: 'string', title: 'Color', description: 'Color of the border.',
                        pattern: '^#[0-9a-f]{6}$', default: '#33414f',
                      },
                      width: {
                        type: 'number', title: 'Width', description: 'Pixels.', minimum: 0, maximum: 20,
                        multipleOf: 0.25, default: 0,
                      },
                      opacity: {
                        type: 'integer', title: 'Opacity', description: 'Percent.', minimum: 0, maximum: 100,
                        multipleOf: 1, default: 100,
                      },
                      style: {
                        type: 'string', title: 'Style', description: 'Pattern of the stroke.',
                        enum: ['solid', 'dashed', 'dotted'], default: 'solid',
                      },
                    },
                  },
                },
              },
              shadow: {
                type: 'object',
                title: 'Shadow',
                description: 'Soft shadow behind the text.',
                additionalProperties: false,
                properties: {
                  visible: {
                    type: 'boolean', title: 'Visible', description: 'Draw the shadow.', default: false,
                  },
                  color: {
                    type: 'string', title: 'Color', description: 'Shadow color.', pattern: '^#[0-9a-f]{6}$',
                    default: '#000000',
                  },
                  opacity: {
                    type: 'integer', title: 'Opacity', description: 'Percent.', minimum: 0, maximum: 100,
                    multipleOf: 1, default: 60,
                  },
                  blur: {
                    type: 'number', title: 'Blur', description: 'Blur radius in pixels.', minimum: 0, maximum: 40,
                    multipleOf: 0.5, default: 4,
                  },
                  offsetX: {
                    type: 'number', title: 'Offset X', description: 'Pixels to the right.', minimum: -40, maximum: 40,
                    multipleOf: 0.5, default: 0,
                  },
                  offsetY: {
                    type: 'number', title: 'Offset Y', description: 'Pixels down.', minimum: -40, maximum: 40,
                    multipleOf: 0.5, default: 1,
                  },
                },
              },
              offset: {
                type: 'object',
                title: 'Offset',
                description: 'Shift from the anchor.',
                additionalProperties: false,
                properties: {
                  x: {
                    type: 'number', title: 'X', description: 'Pixels to the right.', minimum: -400, maximum: 400,
                    multipleOf: 0.5, default: 0,
                  },
                  y: {
                    type: 'number', title: 'Y', description: 'Pixels down.', minimum: -400, maximum: 400,
                    multipleOf: 0.5, default: 0,
                  },
                },
              },
            },
          },
          leader: {
            type: 'object',
            title: 'Leader line',
            description: 'Line from the icon to the label.',
            additionalProperties: false,
            properties: {
              visible: {
                type: 'boolean', title: 'Visible', description: 'Draw the line.', default: false,
              },
              color: {
                type: 'string', title: 'Color', description: 'Line color.', pattern: '^#[0-9a-f]{6}$',
                default: '#8fa3b8',
              },
              width: {
                type: 'number', title: 'Width', description: 'Pixels.', minimum: 0.25, maximum: 12, multipleOf: 0.25,
                default: 1,
              },
              opacity: {
                type: 'integer', title: 'Opacity', description: 'Percent.', minimum: 0, maximum: 100, multipleOf: 1,
                default: 90,
              },
              anchor: {
                type: 'string', title: 'Anchor', description: 'Side of the label at which the line ends.',
                enum: ['nearest', 'left', 'right', 'bottom', 'top'], default: 'nearest',
              },
              gap: {
                type: 'number', title: 'Gap', description: 'Pixels left free at the icon.', minimum: 0, maximum: 40,
                multipleOf: 0.5, default: 2,
              },
              dash: {
                type: 'object', title: 'Dash', description: 'Pattern of the line.', additionalProperties: false,
                properties: {
                  length: {
                    type: 'number', title: 'Length', description: 'Pixels; 0 is a solid line.', minimum: 0,
                    maximum: 40, multipleOf: 0.5, default: 0,
                  },
                  gap: {
                    type: 'number', title: 'Gap', description: 'Pixels.', minimum: 0, maximum: 40, multipleOf: 0.5,
                    default: 3,
                  },
                },
              },
              elbow: {
                type: 'object',
                title: 'Elbow',
                description: 'Bend near the label.',
                additionalProperties: false,
                properties: {
                  visible: {
                    type: 'boolean', title: 'Visible', description: 'Bend the line.', default: true,
                  },
                  length: {
                    type: 'number', title: 'Length', description: 'Pixels of the level part.', minimum: 0,
                    maximum: 200, multipleOf: 1, default: 12,
                  },
                  radius: {
                    type: 'number', title: 'Radius', description: 'Roundness of the bend in pixels.', minimum: 0,
                    maximum: 40, multipleOf: 0.5, default: 0,
                  },
                },
              },
              cap: {
                type: 'object', title: 'Cap', description: 'End at the icon.', additionalProperties: false,
                properties: {
                  shape: {
                    type: 'string', title: 'Shape', description: 'Mark at the end.',
                    enum: ['none', 'dot', 'arrow', 'bar'], default: 'none',
                  },
                  size: {
                    type: 'number', title: 'Size', description: 'Pixels.', minimum: 0, maximum: 40, multipleOf: 0.5,
                    default: 4,
                  },
                },
              },
            },
          },
          points: {
            type: 'array', title: 'Points', description: 'Bends of the leader line, in pixels from the icon.',
            default: [], maxItems: 64,
            items: {
              type: 'object', additionalProperties: false, required: ['x', 'y'],
              properties: {
                x: { type: 'number', title: 'X', description: 'Pixels to the right.' },
                y: { type: 'number', title: 'Y', description: 'Pixels down.' },
              },
            },
          },
          visibility: {
            type: 'object',
            title: 'Visibility',
            description: 'When the annotation shows.',
            additionalProperties: false,
            properties: {
              minZoom: {
                type: 'number', title: 'Min zoom', description: 'Hidden below this zoom level.', minimum: 0,
                maximum: 20, multipleOf: 0.25, default: 0,
              },
              maxZoom: {
                type: 'number', title: 'Max zoom', description: 'Hidden above this zoom level.', minimum: 0,
                maximum: 20, multipleOf: 0.25, default: 20,
              },
              labelMinZoom: {
                type: 'number', title: 'Label from', description: 'The label is hidden below this zoom level.',
                minimum: 0, maximum: 20, multipleOf: 0.25, default: 0,
              },
              priority: {
                type: 'integer', title: 'Priority', description: 'Added to the rank where labels collide.',
                minimum: -100, maximum: 100, multipleOf: 1, default: 0,
              },
              collide: {
                type: 'boolean', title: 'Collide', description: 'Hide the label where it would cover another.',
                default: true,
              },
              fade: {
                type: 'object',
                title: 'Fade',
                description: 'Softness of appearing.',
                additionalProperties: false,
                properties: {
                  visible: {
                    type: 'boolean', title: 'Enabled', description: 'Fade instead of switching.', default: true,
                  },
                  range: {
                    type: 'number', title: 'Range', description: 'Zoom levels over which it fades.', minimum: 0,
                    maximum: 5, multipleOf: 0.25, default: 0.5,
                  },
                },
              },
            },
          },
          scale: {
            type: 'object', title: 'Scale', description: 'Size against zoom.', additionalProperties: false,
            properties: {
              factor: {
                type: 'integer', title: 'Factor', description: 'Percent of the icon and the text.', minimum: 5,
                maximum: 1000, multipleOf: 5, default: 100,
              },
              byDistance: {
                type: 'object',
                title: 'By distance',
                description: 'Scale between two zoom levels.',
                additionalProperties: false,
                properties: {
                  enabled: {
                    type: 'boolean', title: 'Enabled', description: 'Follow the zoom.', default: true,
                  },
                  near: {
                    type: 'number', title: 'Near', description: 'Zoom level at which the scale is greatest.',
                    minimum: 0, maximum: 20, multipleOf: 0.25, default: 9,
                  },
                  far: {
                    type: 'number', title: 'Far', description: 'Zoom level at which it is least.', minimum: 0,
                    maximum: 20, multipleOf: 0.25, default: 1.5,
                  },
                  min: {
                    type: 'integer', title: 'Min', description: 'Percent at the far end.', minimum: 0, maximum: 1000,
                    multipleOf: 1, default: 35,
                  },
                  max: {
                    type: 'integer', title: 'Max', description: 'Percent at the near end.', minimum: 0, maximum: 1000,
                    multipleOf: 1, default: 130,
                  },
                  easing: {
                    type: 'string', title: 'Easing', description: 'Curve between the ends.',
                    enum: ['linear', 'smooth'], default: 'smooth',
                  },
                },
              },
            },
          },
          interaction: {
            type: 'object',
            title: 'Interaction',
            description: 'What the pointer does.',
            additionalProperties: false,
            properties: {
              selectable: {
                type: 'boolean', title: 'Selectable', description: 'Can be picked.', default: true,
              },
              cursor: {
                type: 'string', title: 'Cursor', description: 'Pointer over the icon.',
                enum: ['pointer', 'default', 'move', 'help'], default: 'pointer',
              },
              tooltip: {
                type: 'string', title: 'Tooltip', description: 'Shown on hover; empty shows the name.',
                maxLength: 500, default: '',
              },
              hover: {
                type: 'object',
                title: 'Hover',
                description: 'Look under the pointer.',
                additionalProperties: false,
                properties: {
                  color: {
                    type: 'string', title: 'Color', description: 'Ring color.', pattern: '^#[0-9a-f]{6}$',
                    default: '#ffffff',
                  },
                  scale: {
                    type: 'integer', title: 'Scale', description: 'Percent.', minimum: 50, maximum: 300,
                    multipleOf: 5, default: 120,
                  },
                },
              },
            },
          },
          geonames: {
            type: 'object',
            title: 'GeoNames',
            description: 'What GeoNames says of the place.',
            additionalProperties: false,
            properties: {
              population: {
                type: 'integer', title: 'Population', description: 'Inhabitants.', minimum: 0, multipleOf: 1,
                default: 0,
              },
              country: {
                type: 'string', title: 'Country', description: 'ISO 3166-1 code of two letters.', maxLength: 2,
                default: '',
              },
              featureCode: {
                type: 'string', title: 'Feature code', description: 'GeoNames feature code, such as PPLC.',
                maxLength: 10, default: '',
              },
              elevation: {
                type: ['number', 'null'], title: 'Elevation', description: 'Meters.', default: null,
              },
              timezone: {
                type: ['string', 'null'], title: 'Time zone', description: 'IANA name.', maxLength: 64, default: null,
              },
            },
          },
          tags: {
            type: 'array', title: 'Tags', description: 'Words to find it by.', default: [], maxItems: 32,
            uniqueItems: true, items: { type: 'string', minLength: 1, maxLength: 40 },
          },
        },
      },
    },
    layer: {
      primaryKey: 'id',
      indexes: [['parentId', 'rank']],
      references: { parentId: { table: 'layer', onDelete: 'cascade' } },
      schema: {
        type: 'object', required: ['id'], additionalProperties: false,
        properties: {
          id: {
            type: 'string', title: 'Id', description: 'Key of the layer.', minLength: 1, maxLength: 64,
          },
          parentId: {
            type: ['string', 'null'], title: 'Parent',
            description: 'Layer that holds this one; null stands at the top.', default: null,
          },
          name: {
            type: 'string', title: 'Name', description: 'What the layer tree shows.', maxLength: 200, default: '',
          },
          visible: {
            type: 'boolean', title: 'Visible', description: 'Draw what the layer holds.', default: true,
          },
          locked: {
            type: 'boolean', title: 'Locked', description: 'Protected from changes.', default: false,
          },
          expanded: {
            type: 'boolean', title: 'Expanded', description: 'Children are shown in the tree.', default: false,
          },
          color: {
            type: 'string', title: 'Color', description: 'Swatch in the layer tree.', pattern: '^#[0-9a-f]{6}$',
            default: '#5cc0c7',
          },
          opacity: {
            type: 'integer', title: 'Opacity', description: 'Percent.', minimum: 0, maximum: 100, multipleOf: 1,
            default: 100,
          },
          rank: {
            type: 'integer', title: 'Rank', description: 'Order among its siblings.', multipleOf: 1, default: 0,
          },
        },
      },
    },
    scene: {
      singleton: true,
      schema: {
        type: 'object', additionalProperties: false,
        properties: {
          title: {
            type: 'string', title: 'Title', description: 'Name of the project.', maxLength: 200,
            default: 'World cities',
          },
          projection: {
            type: 'string', title: 'Projection', description: 'Map projection.', enum: ['mercator'],
            default: 'mercator',
          },
          zoom: {
            type: 'number', title: 'Zoom', description: '0 shows the world in 256 pixels.', minimum: 0, maximum: 14,
            default: 2.25,
          },
          center: {
            type: 'object', title: 'Center', description: 'Middle of the view.', additionalProperties: false,
            properties: {
              lon: {
                type: 'number', title: 'Longitude', description: 'Degrees east.', minimum: -180, maximum: 180,
                default: 12,
              },
              lat: {
                type: 'number', title: 'Latitude', description: 'Degrees north.', minimum: -85, maximum: 85,
                default: 26,
              },
            },
          },
          background: {
            type: 'string', title: 'Ocean', description: 'Color of the ocean.', pattern: '^#[0-9a-f]{6}$',
            default: '#0b1016',
          },
          land: {
            type: 'string', title: 'Land', description: 'Color of the land.', pattern: '^#[0-9a-f]{6}$',
            default: '#131c26',
          },
          coast: {
            type: 'string', title: 'Coast', description: 'Color of coast lines.', pattern: '^#[0-9a-f]{6}$',
            default: '#3d5063',
          },
          border: {
            type: 'string', title: 'Borders', description: 'Color of country borders.', pattern: '^#[0-9a-f]{6}$',
            default: '#33455a',
          },
          grid: {
            type: 'object', title: 'Grid', description: 'Meridians and parallels.', additionalProperties: false,
            properties: {
              visible: {
                type: 'boolean', title: 'Visible', description: 'Draw the grid.', default: true,
              },
              color: {
                type: 'string', title: 'Color', description: 'Color of the grid.', pattern: '^#[0-9a-f]{6}$',
                default: '#141d27',
              },
              step: {
                type: 'integer', title: 'Step', description: 'Degrees between lines.', enum: [5, 10, 15, 30],
                default: 15,
              },
            },
          },
          labels: {
            type: 'object', title: 'Labels', description: 'Limits for labels.', additionalProperties: false,
            properties: {
              visible: {
                type: 'boolean', title: 'Visible', description: 'Draw labels.', default: true,
              },
              limit: {
                type: 'integer', title: 'Limit', description: 'Most labels drawn at once.', minimum: 0, maximum: 400,
                multipleOf: 10, default: 140,
              },
              density: {
                type: 'integer', title: 'Density', description: 'Percent; more leaves less room between labels.',
                minimum: 0, maximum: 100, multipleOf: 1, default: 50,
              },
            },
          },
        },
      },
    },
  },
} as const
