/** A continent: the key of its layer, and the ISO 3166-1 codes of its countries. */
export interface Continent {
  readonly id: string
  readonly name: string
  readonly color: string
  readonly countries: readonly string[]
}

const codes = (list: string): readonly string[] => list.split(' ')

export const continents: readonly Continent[] = [
  {
    id: 'europe',
    name: 'Europe',
    color: '#6fb7ff',
    countries: codes(
      'AD AL AT AX BA BE BG BY CH CY CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS IT JE LI LT LU LV MC MD ME ' +
        'MK MT NL NO PL PT RO RS RU SE SI SJ SK SM UA VA XK',
    ),
  },
  {
    id: 'asia',
    name: 'Asia',
    color: '#ffb86b',
    countries: codes(
      'AE AF AM AZ BD BH BN BT CC CN CX GE HK ID IL IN IO IQ IR JO JP KG KH KP KR KW KZ LA LB LK MM MN MO MV MY NP ' +
        'OM PH PK PS QA SA SG SY TH TJ TM TR TW UZ VN YE',
    ),
  },
  {
    id: 'africa',
    name: 'Africa',
    color: '#f5d76e',
    countries: codes(
      'AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG EH ER ET GA GH GM GN GQ GW KE KM LR LS LY MA MG ML MR MU MW MZ NA ' +
        'NE NG RE RW SC SD SH SL SN SO SS ST SZ TD TG TN TZ UG YT ZA ZM ZW',
    ),
  },
  {
    id: 'north-america',
    name: 'North America',
    color: '#7ee0c0',
    countries: codes(
      'AG AI AW BB BL BM BQ BS BZ CA CR CU CW DM DO GD GL GP GT HN HT JM KN KY LC MF MQ MS MX NI PA PM PR SV SX TC ' +
        'TT US VC VG VI',
    ),
  },
  {
    id: 'south-america',
    name: 'South America',
    color: '#ff8f8f',
    countries: codes('AR BO BR CL CO EC FK GF GY PE PY SR UY VE'),
  },
  {
    id: 'oceania',
    name: 'Oceania',
    color: '#c7a6ff',
    countries: codes('AS AU CK FJ FM GU KI MH MP NC NF NR NU NZ PF PG PN PW SB TK TL TO TV UM VU WF WS'),
  },
  { id: 'antarctica', name: 'Antarctica', color: '#9fb0c0', countries: codes('AQ BV GS HM TF') },
]
