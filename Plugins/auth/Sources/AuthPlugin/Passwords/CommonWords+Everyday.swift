extension CommonWords {
  /// Words of every day, in English first and then in other languages.
  static let everyday = """
    abacus abandon abcdef ability about above abrakadabra absolute abstract academy accept acid acoustic across
    action active actor actress addict adelante adore advance adventure affair after again agenda agent agony
    airborne aircraft airline airplane airport aishiteru alarm album alcohol alhamdulillah allah allahuakbar
    allegro alliance allstar almighty almond alpha alphabet alpine alternate amateur amazing ambition ambrosia
    ambulance amicizia amigo amigos amor amore amorzinho amour anarchy ancient angelic anger animal animals anime
    announce answer anthem antique anything apache apartment apples apricot aqua aquarius arcade arch architect
    arena aries arigato army arrow arrows arschloch artist artista artistic ascend ashes askim asphalt assault
    asteroid astronaut athlete atlas atmosphere atomic attack attitude author auto automatic avocado awesome azure
    azzurra baba babe babes babies babycakes babyface babygurl babylon bachelor backdoor backpack backup bacon
    badass badboy badgirl badminton baker bakery balance ballet ballin balloon balls bamboo bananas bandit bang
    banger bangla banjo bank banker baptist barbecue barber bareback barefoot barkley baron basement basket
    bassman bassoon bastard bathroom battery battle baum beach beaches beacon beaner beans beast beastie beautiful
    beauty because bedroom beefcake beijos belief believe believer bellissima beloved benz beta better beyond
    bible bicycle bigballs bigbear bigbird bigblack bigboss bigboy bigbro bigcock bigdaddy bigdick bigfoot bigger
    biggie bigguy bigmac bigmama bigmoney bigone bigred bigtime bigtits biker bikini billiards billionaire bingo
    biology birdman birthday biscuit bismillah bitches bitchy biteme bitter blabla blackbelt blackhole blackie
    blackman blackout blah blaze blazer bless blessing blessings blind blizzard blomma blond blonde blood bloody
    blossom blowjob blowme bluebell blueboy blueeyes blues blume bogus bomber bombers bonanza bondage bone bones
    bonfire bonheur bonito bonjovi bonsai boobies booboo boobs booger boogie booker bookworm boomer boomerang
    booster bootsie booty borderline boring bossman bottle boulder bounce bouncer boys boyscout bracelet brain
    brains brandnew brave bravo bread breakdance breaker breakfast breeze brewer brick bridge bright brilliant
    brisket broadway broken bronco brothers brownie brownies bruder bruiser brutal bubba bubble bubblegum bubbles
    bucket buckeye buddha buddy budlight buenas bugger builder building bullet bullets bullseye bumper bunker
    bunnies burger burning butter buttercup butthole button buttons caballo cabbage cabernet cachorro cactus cadet
    caffeine calcio calculator calendar caliente calor camera campeon camper campus candles candyass candycane
    candyman cannabis cannon cantona canyon capital capone capricorn carajo caramel caravan carbon cardinal career
    caribe carino carnage carnival carpenter carpet carrot carrots cartoon casa cascade cashflow casino cassette
    castle casual catalyst catch catholic cauliflower caution cavalier caveman cazzo celebrity cello cellphone
    centauri center central century ceramic cereal challenge challenger champagne champion champions chance
    changes chaos chaotic chapter character charger charisma charity charm charmed charming chaser chaton chatter
    cheater checkers cheddar cheer cheerios cheers cheesecake chemical chemistry cherish cherries chess chestnut
    cheval chevys chewy chica chicca chicco chick chickens chico chief child children chilli chillin chimera
    chinese chinook chips chiquita chocolat chocolates chocolatte choice chopper chosen christmas chrome chronic
    chronicle chubby church cigar cigarette cinema cinnamon cioccolato circle circus cisco citizen city clarinet
    clarity classic classroom cleaner clever client climber clinic clock closed closer closet clover clovers clown
    clueless coach coaster cobalt cocaine coconut coconuts codered coldbeer collector college colonel colorful
    colors colour comanche combat comedy comet comfort comics command commander commando common communication
    community compact companion compass complete complex composer computers concept concert concorde concrete
    conference confidence confirm confused connect connection conquer conqueror console constant construction
    consulting contact content contest contract contrasena contrasenha control cookbook cooler coolest coolio
    coolman copper coral corazon core cornell corner cornflake corporate correct corruption cosmic cosmos cottage
    cotton coucou couleur country countryboy couple courage cousin cowboy crackers craft crash crawford crazy
    crazyboy crazyman cream creamy create creation creative creature credit creep creepy crescent crimson cristo
    critical crossfire crossroads crown cruise cruiser crunch crush crusher crying cucciolo cuddle cuddles culture
    cupcake cupcakes cupid curious current custom customer cutie cutiepie cutlass cyber cyclone cynical dabomb
    dadada daddysgirl daemon daffodil dagger daisies damage damned dance dancer dancing dandelion danger dangerous
    dark darker darkman darknight darkside darkwing darling data database daughter daughters dawg daydream
    daylight deadhead deadly deadman dealer decent decision deejay deepblue deeper deepsea deeznuts defender
    defiant delicious delight delirium delivery delta deluxe demon demons denim dentist depression derby desert
    design designer desire despair desperado destination destroy destroyer detective deutschland developer
    devilish devilman devotion dharma dialog diamonds diary dickhead dictionary diesel dietcoke different digger
    dilligaf dimple dimples dinero dingdong dinner dios director dirtbike dirty disaster disco discover discovery
    divine diving dixie doberman doctors dodger dogfood dogman doll dollars dollface domain dominator dominoes
    donuts doobie doodle doodles doomsday dopey dork double doudou doughboy doughnut download drag dragons
    dragster drama dreamer dreaming dreamland drifter drinking driver droopy drowssap drum drummer drums drunk
    dubstep duchess dude dudley duffman dumbass dummy dupa durango dutch dutchess dynamic dynamite dynamo dynasty
    early easter eastern eastside easy eatme eatshit echo eclipse economy ecstasy eddy edition education egghead
    elastic elation electric electro electronic element elements elevator eleven elite embrace emerald emotion
    emperor empire employee empty enamorada enchanted endless energy enforcer engage engel engine engineer
    engineering enjoy entering enterprise entrance entropy envy epic epsilon equinox erdbeere escape escorpion
    espresso essence estrella estrellita eternal eternity ethernet etoile europa evening evergreen everlast
    everlasting everybody everyday evil evolution excellent exchange excited executive exercise exodus exotic
    expedition experience expert exploit explore explosion export express extension extra extreme eyeball fabulous
    factory failure fairies fairy faithful falcons fallen falling familia familie famille famous fanatic fancy
    fantastic farfalla farmer farming fashion fast fastball faster fatass fatboy fatcat favorite fearless feather
    fedora feelgood feelings felicidad feliz female feminine fender fester festival feuer fever fick fickdich
    ficken fiction fighter fighting figure filter final finally finance finger fingers finish fireball fireflies
    firefly fireman fireplace firewall first fisherman fishhead fishing fishtank fitness flamenco flames flanders
    flasher flathead flavor fletcher fleur flight flipflop flipside floppy flor flounder fluffy flute flyboy
    flying focus folklore footballer footjob forest forgive forgot forgotten fortuna fortune forum forward forza
    foundation fountain foxtrot foxylady fracture fragile freak freaks freakshow freaky free freebie freefall
    freeman freeway freiheit french frenchfry frenchie fresh freund freunde fridge friend friends friendship
    frisbee frogger fromage front frost frosty frozen fruit fruity fuck fucked fucker fuckers fuckface fuckhead
    fucking fuckit fuckme fuckthis fucku fun function funky funny funnyman furball furious fusion fussball futbol
    future fuzzy gadget galactic galaxies gallery gambler gameboy gamecube gameover gamers games gaming ganesh
    gangbang gangsta gangstar garage garden gardenia gardner gasoline gateway gathering gatito gato gator gattino
    geheim geld gemini general generation generic genius gentle gentleman geography geometry getmoney getout
    getsome gfhjkm ghetto giant gigabyte giggles gilligan gimme girl girls giveme glacier glamorous glass glitter
    global glorious glory goaway goddess gofish goforit going goldberg goldenboy goldeneye goldfinger goldie
    goldrush goldstar golfball golfer golfing gonzo goodboy goodbye goodday goodgirl goodies goodlife goodluck
    goodman goodmorning goodness goodnight goodtime goodtimes gorgeous gospel gossip gostosa gott gracie graduate
    graffiti grandma grandpa granite granny grapefruit grapes graphic graphics grass grateful gravity great
    greatest greedy greenbay greenday greeneyes greenman greentea gremlin grenade griffey grinder groovy ground
    group grumpy guapa guapo guardian guerilla guess guilty guitarist guitars gumball gumby gunman gunners guru
    gymnast gymnastics gypsy habibi hacked hacking hacks haha hahaha hair hairball hairy halfway hallowed
    halloween hamburger hammer hammerhead hammers handball handsome handyman hanuman happiness happyday happydays
    happyface happyfeet happyman harakiri hardball hardcore harddick harddrive hardrock hardware hardwork harlem
    harmony harvard harvest hase haslo hatred haus hawaiian hayabusa headache headbanger headhunter headshot
    health healthy heart heartbeat heartbreak heartless hearts heavenly heavy hejsan helicopter hellno helloall
    helloo hellyeah helmet helper helpme hemlock heritage hermana hermano hermit hermosa hero heroes heroin
    hevonen hidden highbury higher highheels highlife highschool highspeed highway hihihi hihihihi hijo hiking
    hillbilly himmel hippie history hitler hitman holiday holidays holla hollow holycow holyghost holyshit homeboy
    homeless homepage homerun homework homie honest honesty honeybun honeydew honeypie honor hookem hooker hooters
    hoover hopeful hopeless horizon hornet horny horror horseman horseshoe hospital hotboy hotel hotsex hotshot
    hotstuff hottie hotties hour house housewife howdy howling huggies hugs human hummer humphrey hund hungry
    hurricane hustle hustler hybrid hydro hydrogen iamcool iamgod iamthe iamtheman iceberg icecold icecream
    icecube icehouse ichliebedich idiot idontcare idontknow idunno ignition ilikepie illusion illusions iloveboys
    ilovecats ilovedogs ilovegod ilovehim ilovejesus iloveme ilovemom ilovemusic ilovemyself ilovepie iloveya
    iluvme iluvu iluvyou imagination imagine immortal imperial important impossible impulse incognito inconnu
    incredible independent infantry inferno infinite infinito information inlove innocent innovation insane
    insanity insecure insert inside insomnia inspiration inspired install instinct instrument insurance integra
    intelligent intense interest interests interface intern interpol intrepid invasion invest investment investor
    invisible invite irish irishman ironhorse island italian jackpot jailbird jaimatadi jamaican jarhead jazzman
    jazzy jealous jeepster jellybean jellybeans jerkoff jesucristo jesusislord jesuslives jetaime jewels jewish
    jezebel jigga jiggaman jimbo jingles jojo jojojo jokers joking journal journey joyful jubilee judge juggalo
    jughead juice juicy jukebox jumbo jumping juneau jungle junior junkie junkmail justdoit justforfun justme
    justus kaese kaffee kamasutra karaoke karate karma kater katze keeper keepout keepsake kennedy kennwort kernel
    kerstin keybord keystone kicker kickers kickflip kiki kikiki kilimanjaro killa killall killbill killers
    killing killjoy kilo kimchi kinder kindness kinetic kingdom kingpin kinky kirkland kiss kissa kisses kissme
    kissmyass kitchen kitkat kjaerlighet klondike knife knock knockers knockout knowledge kochanie kodiak koenig
    koira kokoko konfetti konnichiwa krishna kryptonite kungfu kurwa lacrosse ladies lager lakeside lalala
    lalalala lambchop lampshade landing landmark language lapin laser lasers lastchance lasvegas latina latino
    laugh laughing laughter laundry lavender lawyer leader leadership league leather leaves lebensfreude lefty
    legacy legendary legion lemonade lemons lesbian lesbians lespaul lessthan letsdoit letsgo letter lettuce level
    liberal libero liberte libra library license licorice liebe liebling lieverd lifeguard lifeisgood lifesucks
    light lighter lights lilbit lilith lilman limited limousine lindo line lipstick liquid listen literature
    little littlebit littleboy littleman liverpoolfc living loading lobo local lockdown locked locker loco logger
    logical lollol lolol lololo lolololo lonely loner lonestar lonewolf longbow longdong longhair longhorn
    longtime lookout loose loquita losenord loser losers lost loud lovable loveable lovebug lovehate lovehurts
    loveislife loveless lovemaking loverboy lovers loveu loving loyal loyalty lubov luckie lunatic luvbug luvyou
    macaroni macdaddy machete machine macross madcat madden maddog madhouse madman madmax madness maestro mafia
    magazine magical magicman magnet magnetic magnolia mahal mahalko mailbox mailman maison majestic majesty maker
    makeup malachi malibu mallard mallrats mamacita maman mamas mamita mamma management manager mandarin mandolin
    mango mangos maniac mankind manolo manowar mantra manunited maple marathon maravilhosa maravilla marble mare
    margaritas marihuana marijuana marine mariner marines mariposa marker market marketing marriage married
    marshal marshmallow martial marvelous mascot masked massage massive masterbate masterkey masters matador match
    mathematics maths matters mausi maximum mayflower mayhem mayonnaise meadow meaning measure meatball meatballs
    meathead meatloaf mechanic medical medicine medieval megabyte megalodon mellon mellow melon member memorex
    memorial memories memory menace mental mercenary merde message messenger metalhead meteor method methodist
    meuamor mexican miamor midget midnite midway mierda mighty military milkman milkshake milky milkyway millenium
    millennium millionaire millions mineral minimum minister minority minou miracle miracles mirage mirror
    mischief miserable misfit misfits misiek missing mission mittens mobile modelo modern moneyman moneys mongol
    monitor monkeyboy monkeybutt monkeyman monopoly monsoon monte monument moocow moogle moomoo moonbeam morning
    morrigan mortgage motdepasse mothers motion motocross motor motorbike motorcycle motorhead motorrad mountain
    mountaindew mountains mousepad movie movies mudvayne muffin muffins mujer mulberry mullet multimedia mundo
    murder murderer muscle mushroom mushrooms musica musical musicman musique muslim mustard mutant mutter mybaby
    myfamily mygirl myheart mylife mylove mymother myname mypass myself mystery mystical naked namaste nanana nano
    napoleon narcissus nastygirl nation national native natural nature naughty naughtyboy navidad navigator
    navyseal nazareth nebula necklace needle negative neighbor neon neopets nerd nervous neutrino neutron
    neverland nevermind nevermore newbie newborn newhouse newlife newman newpass news newton newworld newyear
    nexus niceday nicegirl niceguy nightfall nighthawk nightlife nightshade nightstar nightwish nineteen ninety
    ninjas ninos noaccess noble noche noexit nofear noise nolimit nomad nomore nonono nonsense nonstop nopass
    normal north northern northside nosferatu nostalgia nostromo notebook notes notredame nounours novelty
    nowayout nowhere nuclear nugget numbers nurse nursing nutcase nutmeg nuttertools oatmeal obsession obsidian
    ocean oceans octagon offroad offspring ohmygod oilers oiseau oldman oldschool olympia olympic omegas omsairam
    online onlyme onlyone onlyyou onmyown opendoor openit opennow opera operation operator opium optimist option
    oranges orbital orchard orchestra orchids organic orgasm oriental origami original osiris outback outdoor
    outside overdose overkill overload override oxygen oyster ozzy package packet packrat paintball painter
    painting pajaro palace pallone palmtree pandora panties pantyhose papaya paper paperclip papillon papito
    paprika parachute paradigm paradise paradox paramedic paramount parfait parliament parol parola parrots
    partner party partyboy passion passord passport passw passw0rd passwordd passwords pasta pastor patches
    patience patient patriot pattern pavilion payback payday payment paz peaceful peach peaches peachy peanuts
    pearls pebbles pecker pelota pencil pendragon penis pentagon pentium people pepito peppermint pepperoni
    perfect perfection perfecto performance perkele perrito perro persian person persona personal petunia pharmacy
    phat phatfarm phenix phenom philosophy photo photography photos photoshop phyllis physics picasso pickle
    pickles pickup picture pictures pieces pierce pigeons pilgrim pillow pilot pimp pimpin pinball pineapple
    pinecone pinetree pinkie pinklady pinky pioneers pipeline piper piracy pirate pisces pissed pissoff pistol
    planet planets plasma plastic platform platinum playa players playgirl playground playhouse playing playmate
    playoff playtime please pleasure plumber plumbing plymouth poetry pogi pogiako pointer poison poisson poker
    pokerface polar police policeman policy polish politics pollito polo poochie poohbear pookie poop pooper
    poopie poopoo popcorn popopo poppop poppy popsicle popstar popular porkchop porn porno portable portal
    position positive possible postman potato potatoes pothead poussin power powerful powers ppp practice praise
    prayer prayers preacher precious precision predators premier premium presence present president pressure
    prestige presto pretender pretty prettyboy pretzel prevail pride priest primavera prime primrose princesa
    princesse princeton principal principe principessa printemps printer printing prinzessin prison privacy privet
    prize problem process prodigal producer product production prof professional professor profile profit program
    programmer progress project promise promises propaganda property prophecy prophet prosper prosperity protect
    protected protection protector protocol proton prototype proud prove prowler psalm psycho psychology
    psychopath psychotic public puce puddin pudding puddle pumpkin pumpkins punch punkass punker punkin punkrock
    punks pure purity purplehaze purplerain pussies pussy pussys puta putain putita puzzle pyramid qazqaz qazwsx
    qazwsxedc qazxsw quality quantum quartz quest question quick quickly quiet quiksilver quixote quote rabbits
    racecar racer racerx radar radiance radiant radiation radical radio radish ragnarok railroad rainbows raindrop
    rainfall raining rainman rainstorm rainy random rapper rapture rasputin rasta rastaman ratatat ratman rattle
    raver reader reading ready real realist reality realize realtor reaper reason reasons rebels rebirth recall
    recon record recorder records recovery recruit redalert redcar redcross redeemed redemption redeye redhat
    redhead redheads redman redneck redrock redrum redwing reflect reflection reflex refresh refuse reggae
    regional register regular reina rejoice relax release relentless reliable religion reload remember remote
    renaissance rental replay report republic request rescue research reset residence resist resource respect
    response restart restaurant result retard retired return returns reunion revenge reverse review revival
    revolver reward rhapsody rhythm ribbon riches richie riddle rider riders riffraff right rightnow ringo
    ringtone ripper rising river rivers roadkill roadking roadster robbery robot robotics robots rocker rocketman
    rocking rocknroll rocks rockwell rockyou rodeo roller rollins romance romantic romantico rookie rooted rosas
    rosebud rosebush roses rough roulette royal royalty rubber rulez runaway runner running rush russian ruthless
    sabotage sacred sacrifice sadness safari safe safety sagittarius sailboat sailing sailor saint sairam sakura
    salad salami salasana sales salsa salut salvation sanctuary sand sandal sandals sandman sandwich sangre
    sapphire sarangheyo sarcasm satan satellite satisfaction satori saturn saudade sausage savage savior saxophone
    sayang sayangku scandal scanner scarecrow scarlet schalke schatz schatzi scheisse schmetterling schnecke
    schokolade school schooner schule schwester science scientist scissors scooter score scorpions scottie scotty
    scout scouts scrabble scrappy scratch screen screwyou scroll sculpture seafood seagate search seaside season
    sebring second secretary secreto section secured seduction seeker select semperfi sempre senator seneca senha
    senior sensation sensei sensitive sensor sentinel sequoia serenade serendipity serenity serial series servant
    service session seven sevens seventeen sexgod sexman sexsex sexual sexxy sexyboy sexylady sexyman sexyme
    shadowman shadows shaggy shakespeare shalom shaman shamrock shantel share sharing sharp sharpie shasta shazam
    sheeba shell sheriff shine shiner shining shinobi shit shitface shithead shitty shiva shogun shooter shooting
    shopping short shorts shorty shotgun shoulder shower showme showtime shutup shyshy sick sickness sidekick
    sidewalk siempre sifre signal signature silence silent silicon silk silly sillyme silverado simple simplicity
    singer singing single sinister sinner sinners sirius sisters sithlord sixers sixpack sixteen sixty skate
    skateboard skateboarding skateordie skater skating skeeter skeleton sketch skiing skinhead skinny skipper
    skippy skull skydive skydiver skyhigh slamdunk slapper slappy slapshot slave slavery sleep sleeper sleeping
    sleepless slick slider slim slimshady slipper slippery sloppy slowhand slugger slut sluts smack smackdown
    small smart smartass smarties smarty smash smasher smeghead smelly smiles smiley smilingface smitty smoker
    smokes smokeweed smokey smokie smokin smoking smooch smooth smoothie smother snapper snapple snatch sneakers
    sneaky snicker sniffer sniffles snooker snoop snow snowball snowboard snowboarding snowdrop snowfall snowflake
    snowman soccerball social society softball software sol solace solar soldiers sole soledad soleil solitaire
    solitude solo solution somebody someday someone somethin sometimes somewhere sommar sommer songbird sonne
    sonnenschein sonnet sonoma sonshine sophomore sorrow soso soulmate soulmates source sourire sourpuss south
    southern southpaw southside sovereign space spaceman spaceship spanish spank spanker spanking spanky sparkle
    sparkles sparkling sparks sparky spartan special specialist specialk spectre speech speed speedo speedster
    speedway speedy spell spice spicy spike spikey spinner spirits spiritual spitfire splash splatter splendid
    splinter spoiled sponsor spooky spoon sports sportsman spotlight springfield springs sprinkle sprinter spruce
    spunky squash squirt squishy stability stable staff stage stair stamford standard standby standing starburst
    stardust stargazer starless starman starry starship start starter station statue status stayout stealth steam
    steaua steel steeler steelhead stellar stellina steps stereo stern sternchen steroid stick sticker sticks
    sticky stiletto sting stinger stinker stinky stitches stock stocks stoned stoner stones stonewall stooges
    storage store stormy story straight strange stranger strat strategy stratocaster stratus straw stream street
    streetball streets strength stress stretch strider strike striker string striper stripes stripper strong
    stronger stubborn student students studio studioworks study stunner stunt stupid stupidity style stylish
    sublime submarine submit success successful sucker suckers suckit suckme suckmydick sugarplum suicide suitcase
    sultan summers summit sunburn sundown sunglasses sunny sunnyday sunrise sunset superbowl superfly superior
    supervisor support supreme surf surfboard surfer surfing surgery surprise surrender surround survival survivor
    suspect sutton swagger sweet sweetcake sweetest sweetface sweethome sweetiepie sweetness sweetpea sweets
    sweety swimmer swimming swing swinger swingers switch sword symbol sympathy syndicate synergy tabasco table
    tactical talent talisman talking tampabay tamtam tangerine tango tanker tantra tarheel tattoo tattoos taurus
    taxi taxman teacher teachers team teamo teardrop tears tease teaser technical technics techno technology
    teenager teens telecom telefon telephone television temp tempest temple temporal temporary temptation tender
    tenerife tequiero tequila terminal terrapin terrible terrific terror terrorist tesoro testament teufel
    thankful thanks thankyou theboss thecure thedoors theend theforce thegame thelast thelord theman theory
    therapy there thermal therock thesims thespian theused thing things think thinker thirteen thirty thistle
    thong thought thousand threesome thriller throne thug thumper thunderbolt ticket tickle tigereye tightend
    tigre timber time timeless timeout timer times tinker tinman tititi titties tobacco today toffee together
    tomahawk tomato tomorrow tonight toolbox tooltime toonarmy toontown topcat topdog topgun topsecret tornado
    torpedo tortilla tortuga torture total totally touch touchdown tough tourist tower town toxic toyboy tracker
    tractor trading tradition traffic trailer train trainer training traitor trance tranquil transfer transit
    transport trapper trash trauma travel traveler travelling treasure tree trees treetop trekker tremor trespass
    trial triangle tribal tribute trick trickster tricky trident trigger trilogy triple triplets tripper triumph
    trojan trojans tropical trouble truck trucker trucks truelove truffle trumpet trunk trusting trustme truth
    trying tsunami tubby tulip tulips tumbleweed turbulence turnip turquoise tuscan tuxedo twelve twenty twinkle
    twisted typhoon tyrant ultimate ultimatum ultimo umbrella unbelievable unbreakable unbroken uncle undead
    undefined underdog underground undertaker undertow underwater underworld unforgiven unhappy unicorns uniform
    union unique unite unity universal university unknown unlimited unlock unreal untitled uptown urban vacances
    vacation vader vaffanculo vagina vakantie valentine valhalla valiant valley valleys valor vanguard vanilla
    vanity vasco vater vector vegetable vegetarian velocity velvet vendetta vengeance ventura venture verbatim
    verde verify vermilion versatile version vertical vertigo veteran vibration vicious victim victory vida video
    viernes village vintage violence violets vipers virgin virgo virtual virtue virus vision visions vista visual
    vita vitamin viva vivalavida vixen voiture volcano volleyball voltage volume volunteer voodoo vortex voyeur
    wachtwoord wagon waiting walking wallpaper walnut wanderer wanker wanted warehouse warfare warhawk warning
    warpath warship wasser wassup wasted watch watcher waterfall waterfalls waterloo waters wave waves wayback
    wealth weapon wearethechampions weather webmaster website wedding weed weedman weekend weihnachten welding
    welkom werder west western westside wheels whiplash whisper whistle whiteboy whiteout whitesox whitetail
    whocares whoknows whore widget wiener wildchild wildfire wildflower wildlife wildman wildone wildstar
    wildthing wildwood winchester wind windmill windsong windsor windy wine winger wings winners winniepooh
    winning wisdom wishbone wishes wishing wishmaster witch witches without wohnung wolfman wolves woman women
    wonder wonderboy wonderful wonderland wooden woodland woods woofer woofwoof word worker working workout world
    worldcup worldwide worship wrench wrinkles write writer writing wrong wutang xanadu xerxes xtreme xxxxx yankee
    yeahbaby yeahright yellowstone yesterday yesyes ying yingyang yogibear yomama yosemite yourmom yourname youth
    yoyo yoyoyo yummy zapato zero zigzag zipper zomer zuhause zvezda zxcvb zxcvbn zxcvbnm zzzzz
    """
}
