"""German, Spanish, French and Chinese words for what the model knows, each with an English word of the lexicon."""

from __future__ import annotations

_GERMAN = """
sun: sonne
red: rot rote roten roter rotes
orange: orangene
yellow: gelb gelbe gelben gelber gelbes
golden: goldene goldenen
green: grün grüne grünen grüner grünes gruen
blue: blau blaue blauen blauer blaues
purple: lila violett violette violetten
pink: rosa
white: weiß weiße weißen weißer weißes weiss weisse
brown: braun braune braunen
black: schwarz schwarze schwarzen schwarzer schwarzes
teal: türkis
castle: schloss burg
windmill: windmühle mühle
lighthouse: leuchtturm
house: haus häuser hütte häuschen
pine: kiefer tanne tannen
forest: wald
tree: baum bäume
boat: boot boote schiff segelboot
bird: vogel vögel möwe möwen
balloon: ballon ballons heißluftballon
rocket: rakete raketen
flower: blume blumen
mushroom: pilz pilze
cat: katze katzen
bottle: flasche flaschen
day: tag mittag
morning: morgen morgens sonnenaufgang
sunset: sonnenuntergang abend abends
dusk: dämmerung
night: nacht nachts mond sterne
galaxy: galaxie weltraum
storm: sturm gewitter
hills: hügel wiese wiesen feld
mountains: berg berge bergen gebirge
sea: meer strand küste
desert: wüste
city: stadt
snow: schnee winter
rain: regen
snowfall: schneefall
rainbow: regenbogen
mist: nebel
lake: fluss wasser bergsee
clouds: wolke wolken
sky: himmel
big: groß große großen großer großes
small: klein kleine kleinen kleiner kleines
two: zwei
three: drei
four: vier
five: fünf
over: über
under: unter
with: mit
in: im
at: am
on: auf
by: bei neben
the: der die das dem den ein eine einen einem einer und von ist
"""

_SPANISH = """
sun: sol
red: rojo roja rojos rojas
orange: naranja
yellow: amarillo amarilla amarillos amarillas
golden: dorado dorada
green: verde verdes
blue: azul azules
purple: morado morada púrpura violeta
pink: rosado rosada
white: blanco blanca blancos blancas
brown: marrón marrones
black: negro negra negros negras
teal: turquesa
castle: castillo
windmill: molino
lighthouse: faro
house: casa casas cabaña
pine: pino pinos
forest: bosque
tree: árbol árboles
boat: barco barcos velero
bird: pájaro pájaros gaviota gaviotas
balloon: globo globos
rocket: cohete cohetes
flower: flor flores
mushroom: seta setas hongo
cat: gato gata gatos
bottle: botella botellas
day: día mediodía
morning: mañana amanecer
sunset: atardecer
dusk: anochecer crepúsculo
night: noche luna estrellas
galaxy: galaxia espacio
storm: tormenta
hills: colina colinas prado campo
mountains: montaña montañas
sea: mar playa costa
desert: desierto
city: ciudad
snow: nieve invierno
rain: lluvia
snowfall: nevada
rainbow: arcoíris arcoiris
mist: niebla
lake: lago río agua
clouds: nube nubes
sky: cielo
big: grande grandes gran
small: pequeño pequeña pequeños pequeñas
two: dos
three: tres
four: cuatro
five: cinco
over: sobre encima
under: bajo
with: con
by: junto
in: en
the: el la los las un una unos unas y de del al
"""

_FRENCH = """
red: rouge rouges
yellow: jaune jaunes
golden: doré dorée
green: vert verte verts vertes
blue: bleu bleue bleus bleues
purple: mauve pourpre violette
pink: rosé
white: blanc blanche blancs blanches
brown: brun brune marron
black: noir noire noirs noires
castle: château
windmill: moulin
lighthouse: phare
house: maison maisons cabane
pine: pin sapin sapins
forest: forêt
tree: arbre arbres
boat: bateau bateaux voilier
bird: oiseau oiseaux mouette
balloon: montgolfière montgolfières
rocket: fusée fusées
flower: fleur fleurs
mushroom: champignon champignons
cat: chat chats chatte
bottle: bouteille bouteilles
day: jour midi
morning: matin aube
sunset: couchant coucher soir
dusk: crépuscule
night: nuit lune étoiles
galaxy: galaxie espace
storm: orage tempête
hills: colline collines prairie champ
mountains: montagne montagnes
sea: mer plage côte
desert: désert
city: ville
snow: neige hiver
rain: pluie
rainbow: arc
mist: brume brouillard
lake: lac rivière eau
clouds: nuage nuages
sky: ciel
sun: soleil
sky: ciel
big: grand grande grands grandes
small: petit petite petits petites
two: deux
three: trois
four: quatre
five: cinq
over: dessus
under: sous
with: avec
in: dans
by: près
the: le les une des du et au aux
on: sur à
"""

_CHINESE = """
sun: 太阳
red: 红 红色
orange: 橙 橙色
yellow: 黄 黄色
golden: 金色
green: 绿 绿色
blue: 蓝 蓝色
purple: 紫 紫色
pink: 粉色 粉红 粉红色
white: 白 白色
brown: 棕色 褐色
black: 黑 黑色
teal: 青色
castle: 城堡
windmill: 风车
lighthouse: 灯塔
house: 房子 小屋 房屋
pine: 松树
forest: 森林
tree: 树
boat: 船 帆船 小船
bird: 鸟 海鸥
balloon: 气球 热气球
rocket: 火箭
flower: 花 花朵
mushroom: 蘑菇
cat: 猫
bottle: 瓶子
day: 白天 中午
morning: 早晨 日出 清晨
sunset: 日落 傍晚 夕阳
dusk: 黄昏
night: 夜晚 夜 星空 月亮
galaxy: 银河 太空
storm: 暴风雨
hills: 山丘 草地 田野
mountains: 山 山脉 高山
sea: 海 大海 海边 海滩
desert: 沙漠
city: 城市
snow: 雪 雪地 冬天
rain: 雨 下雨
snowfall: 下雪
rainbow: 彩虹
mist: 雾
lake: 湖 河 水
clouds: 云
sky: 天空
big: 大
small: 小
two: 两 两只 两个
three: 三 三只 三个
over: 在 上 上方
with: 和
the: 的 一个 一只 一 座
"""


def _read(*texts: str) -> dict[str, str]:
    """Turn lines "english: its words" into {word: english}."""
    found: dict[str, str] = {}
    for text in texts:
        for line in text.split("\n"):
            english, _, words = line.partition(":")
            found.update(dict.fromkeys(words.split(), english))
    return found


ENGLISH_FOR = _read(_GERMAN, _SPANISH, _FRENCH, _CHINESE)
"""Word -> the English word that means the same."""
