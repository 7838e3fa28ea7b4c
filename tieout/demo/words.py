"""Word lists and monthly exchange rates of the made-up wholesale company. Nothing here is a real party or a real rate.

Rates are decimal text: units of CNY for one unit of the currency, as a command carries them.
"""

from typing import NamedTuple

CITIES = (
    "宁波",
    "苏州",
    "无锡",
    "佛山",
    "青岛",
    "合肥",
    "长沙",
    "郑州",
    "厦门",
    "泉州",
    "常州",
    "绍兴",
    "温州",
    "烟台",
    "潍坊",
    "南通",
)
TRADE_NAMES = (
    "恒泰", "瑞丰", "金禾", "正大源", "宏远", "华茂", "嘉禾", "新联", "东升", "利民",
    "顺达", "永兴", "德信", "同和", "鼎新", "盛元", "百川", "万顺", "天成", "广源",
)  # fmt: skip
LINES_OF_TRADE = ("五金", "建材", "日用品", "电器", "纺织", "食品", "文具", "机电", "包装", "照明")
ENGLISH_NAMES = (
    "Harbour", "Larkfield", "Stonebridge", "Redwood", "Kestrel", "Ashgrove", "Northgate", "Millbrook", "Fairhaven",
    "Copperfield", "Oakhurst", "Silverdale", "Brackenridge", "Westlake", "Pinecrest", "Thornbury",
)  # fmt: skip
ENGLISH_TRADES = ("Hardware", "Home Goods", "Supply", "Trading", "Imports", "Wholesale", "Outfitters", "Tools")
GERMAN_NAMES = ("Brandner", "Kolbe", "Lindhof", "Mertens", "Oberwald", "Rehfeld", "Sandkuhl", "Vossberg", "Wiesner")
GERMAN_TRADES = ("Eisenwaren", "Haushaltswaren", "Werkzeuge", "Großhandel", "Bürobedarf", "Leuchten")
JAPANESE_NAMES = ("山根", "北浜", "青葉", "緑川", "白鳥", "清水谷", "若宮", "高砂", "千歳", "藤棚")
JAPANESE_TRADES = ("商事", "産業", "物産", "金物", "電材", "貿易")
STREETS = ("解放路", "人民路", "中山路", "建设大道", "工业园北街", "和平西路", "新华街", "创业路")

REGIONS = ("north", "east", "south", "west", "overseas")
SALESPEOPLE = ("s01", "s02", "s03", "s04", "s05", "s06", "s07", "s08", "s09", "s10", "s11", "s12")


class Product(NamedTuple):
    """A thing on sale: its line of goods, its price in fen, and the code and per cent of its domestic tax."""

    goods: str
    price: int
    tax_code: str
    tax_rate: str


PRODUCTS = (
    Product("fasteners", 350, "VAT13", "13"),
    Product("fasteners", 1280, "VAT13", "13"),
    Product("hand-tools", 4590, "VAT13", "13"),
    Product("hand-tools", 12900, "VAT13", "13"),
    Product("power-tools", 45900, "VAT13", "13"),
    Product("power-tools", 128800, "VAT13", "13"),
    Product("lighting", 2350, "VAT13", "13"),
    Product("lighting", 8999, "VAT13", "13"),
    Product("kitchen", 1999, "VAT13", "13"),
    Product("kitchen", 26800, "VAT13", "13"),
    Product("packaging", 85, "VAT13", "13"),
    Product("stationery", 690, "VAT13", "13"),
    Product("seeds", 3120, "VAT9", "9"),
    Product("books", 2775, "VAT9", "9"),
    Product("delivery", 18000, "VAT9", "9"),
    Product("installation", 36000, "VAT6", "6"),
)

PRICE_IN = {"CNY": (1, 1), "USD": (14, 100), "EUR": (13, 100), "JPY": (1, 5)}
"""Minor units of a currency for one fen, as (numerator, denominator): price lists are rounder than rates."""

RATES = {
    "USD": ("7.1785", "7.1892", "7.2096", "7.2305", "7.1993", "7.1746", "7.1602", "7.1551", "7.1218", "7.1134", "7.0977", "7.0812"),
    "EUR": ("7.4613", "7.4867", "7.7821", "8.1022", "8.1410", "8.2514", "8.3703", "8.3129", "8.3560", "8.2695", "8.2018", "8.2437"),
    "JPY": ("0.046130", "0.047215", "0.048392", "0.050104", "0.049677", "0.049640", "0.048810", "0.048512", "0.048170", "0.046922", "0.045838", "0.045402"),
}  # fmt: skip
"""The company's rate of each month of the year."""
