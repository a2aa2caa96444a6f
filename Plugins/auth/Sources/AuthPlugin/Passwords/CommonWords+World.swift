extension CommonWords {
  /// Countries, cities, teams, cars and brands.
  static let world = """
    adidas adobe afghanistan africa airbus ajax alabama alaska albania alberta alfaromeo algeria allblacks amstel
    amsterdam andorra angola ankara antarctica antigua antwerp arabia arctic argentina arizona arkansas armani
    armenia aruba asia astonmartin astonvilla astros asus atari athens atlanta atlantic atletico auckland
    australia austria avalanche avalon azerbaijan bacardi baghdad bahamas bahrain bali baltimore bangalore bangkok
    bangladesh barbados barbie bavaria bayern bears beijing beirut belarus belfast belgium belgrade belize benfica
    bengals benin bentley bermuda bern besiktas birmingham blackberry blazers bluejays boca bocajuniors boeing
    bogota bolivia bombay bordeaux borussia bosnia botswana brasil brasilia braves bremen brewers brighton
    brisbane bristol britain broncos bruins brussels buccaneers bucharest buckeyes bucks budapest budweiser
    buenosaires buffalo bugatti buick bulgaria bulls burberry burma cadillac cairo calcutta calgary cambodia
    cambridge camel cameroon camry canadiens canberra cancun canon canucks capetown caracas cardiff cardinals
    caribbean carlsberg cartier casablanca casio cavaliers celtic celtics chanel chargers chennai chevelle
    chevrolet chevy chiefs chile chivas chrysler cincinnati citroen civic cleveland clippers cocacola colgate
    cologne colombia colorado colts columbia columbus compaq congo connecticut converse copenhagen corinthians
    corolla corona corsa corsica costarica cougars croatia cuba cubs cyprus czech dakar damascus daytona delaware
    delhi dell deloitte denmark denver detroit devils dhl dior disney dodge dodgers dolphins dominica doritos
    dortmund dreamworks dresden dubai dublin ducati ducky dukes dunkin durban eagles ebay ecuador edinburgh egypt
    ericsson eritrea estonia ethiopia europe everest everton explorer fanta fedex fenerbahce feyenoord fiat fiesta
    fiji finland flamengo flyers ford formula frankfurt fujitsu galatasaray galway gambia gators geneva genoa
    ghana giants gibraltar gibson gillette giroud glasgow gmail gonzaga granada greece greenland grenada grizzlies
    gsxr guadeloupe guam guatemala gucci guinea guinness haiti halifax hamburg hannover hanoi hasbro havana hawaii
    hawkeyes hawks heat heineken helsinki hennessy hermes hewlett hilton holland honduras hongkong honolulu
    hornets hotmail hotspur houston huawei hungary hurricanes hyderabad hyundai ibanez iceland idaho ikea illinois
    impala indiana indianapolis indians indonesia instagram intel inter iowa iran iraq ireland islamabad islanders
    istanbul italia jackdaniels jaguar jaguars jakarta jamaica jameson jeep jersey jerusalem jets jumanji juve
    kabul kansas karachi kashmir kathmandu kazakhstan kellogg kentucky kenya kiev kings kingston knicks kodak
    koenigsegg korea kosovo krakow kuwait kyoto lacoste lagos lahore lamborghini lancer landrover laos latvia
    lebanon lebron leeds legia lego leicester leipzig lenovo levis lexus liberia libya linkedin lions lisbon
    lithuania logitech lombardia longhorns loreal losangeles lotus louisiana lucent luxembourg lyon macbook
    macedonia macintosh macosx madagascar madeira madridista mailru maine malaga malawi malaysia maldives mali
    malta manhattan manila mariners marlboro marriott martini maryland maserati massachusetts mastercard mauritius
    mavericks mazda mcdonald mcdonalds mclaren melbourne memphis messi mets miami michigan milano millonarios
    milwaukee minneapolis minnesota mississippi missouri mitsubishi moldova monaco mongolia montana monterrey
    montreal morocco moscow motorola mountaineers mozambique mozilla mumbai munich mykonos myspace nairobi namibia
    napoli nascar nashville nebraska nepal nestle netflix netherlands nevada newark newcastle newdelhi newjersey
    newport newyork newzealand neymar nicaragua niger nigeria nike nikon nissan norway nottingham nuggets nutella
    nvidia oakland ohio oklahoma olympiakos olympique oman ontario opel oracle oregon oreo orioles osaka oslo
    ottawa outlook oxford pacers pacific padres pakistan palermo palestine palmeiras panama panasonic
    panathinaikos panthers paraguay patagonia patriots paypal pennsylvania pepsi persia perth peru peugeot
    philadelphia philips phillies pioneer pirates pistons pittsburgh pizzahut playboy poland polaroid polska
    pontiac portland porto portugal prada prague pretoria pringles providence puertorico puma punjab qatar quebec
    queens queensland quito rangers rapids ravens redskins redsox reebok renault reykjavik richmond riga rio
    riodejaneiro riverplate rockets rockies rolex romania rome ronaldinho rooney rotterdam royals rwanda sabres
    sacramento sahara saigon saints salem salzburg samoa sanantonio sandiego sanfrancisco sanjose saopaulo
    sarajevo sardinia scandinavia scotland seahawks seattle sega senators senegal seoul serbia seville shanghai
    sheffield siberia sicily siemens singapore skittles skoda skype slovakia slovenia smirnoff snapchat snickers
    somalia sony sounders spartak spartans sporting spotify sprite spurs stockholm stuttgart subaru subway sudan
    sunderland supersonics supra surrey swatch sweden switzerland syria tacoma tahiti taipei taiwan tampa tanzania
    target tarheels tasmania tehran telaviv tennessee tesla texans thailand tibet tijuana tiktok timberland tirana
    titans togo tokyo toledo toronto toshiba tottenham toulouse transylvania trinidad tripoli tundra tunisia turin
    turkey tuscany twins uganda ukraine uruguay utah utrecht uzbekistan valencia vancouver vans vatican vauxhall
    vegas venezuela venice verizon vermont verona versace vienna vietnam vikings viper vodafone volcom volkswagen
    volvo wales walmart warriors warsaw washington wellington westham westminster whatsapp wikipedia wildcats
    wisconsin wolverine wolverines wrangler wyoming yahoo yemen yokohama yorkshire yugoslavia zagreb zambia zidane
    zimbabwe zippo zurich
    """
}
