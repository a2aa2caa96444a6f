/// What stands at the heart of the passwords that are chosen most often.
enum CommonWords {
  static let text = """
    password passwort passwd pass pwd secret secrets login logon signin user username account admin administrator root
    master guest test testing tester demo sample example default changeme change letmein letme welcome hello hallo hola
    bonjour ciao access enter open sesame trustno trust nobody anyone system server computer laptop desktop keyboard mouse
    internet network windows linux ubuntu debian apple google facebook twitter amazon youtube microsoft samsung nokia
    iphone android pokemon nintendo playstation xbox minecraft roblox fortnite starwars startrek batman superman spiderman
    ironman matrix hunter killer ninja samurai dragon phoenix tiger lion eagle falcon panther wolf bear monkey donkey horse
    pony kitty kitten puppy doggy buster shadow midnight sunshine moonlight starlight rainbow flower flowers lily rose daisy
    jasmine orchid summer winter spring autumn january february march april june july august september october november
    december monday tuesday wednesday thursday friday saturday sunday love lover loveme lovely iloveyou iloveu ihateyou
    fuckyou fuckoff asshole bitch princess prince queen king angel angels devil heaven hell jesus christ god blessed faith
    hope grace peace freedom liberty happy lucky smile dream dreams forever always never mother father mommy daddy mama papa
    brother sister family baby babygirl babyboy boyfriend girlfriend honey sweetie sugar candy cookie cookies chocolate
    cherry blueberry strawberry banana orange lemon peanut pepper ginger cheese pizza coffee whiskey vodka beer football soccer baseball
    basketball hockey tennis golf cricket rugby boxing racing liverpool arsenal chelsea barcelona madrid juventus milan
    manchester united yankees cowboys lakers steelers packers raiders ferrari porsche mercedes bmw audi toyota honda harley
    corvette mustang camaro yamaha kawasaki suzuki michael jordan jennifer jessica ashley nicole amanda michelle daniel
    david robert thomas andrew joshua matthew anthony william charlie charles george richard james john joseph jack harry
    oliver maria anna laura sarah emma sophie martin peter paul mark luke alexander alex max sebastian andrea barbara thunder
    lightning storm fire water earth silver golden diamond crystal purple yellow green blue black white red pink snoopy
    tigger mickey minnie donald garfield simpson bart homer marley metallica nirvana beatles eminem music guitar piano
    america american england london paris berlin germany france spain italy russia china japan india canada mexico brazil
    texas dallas chicago boston york angeles california florida secure security private privat company business office work
    money dollar million winner number one two three money cash bitcoin crypto star stars sky moon sun life live alive death
    dead zombie vampire ghost magic wizard merlin gandalf hobbit frodo potter hogwarts something nothing everything whatever
    blahblah qwerty qwertz azerty 1q2w3e 1q2w3e4r 1q2w3e4r5t q1w2e3r4 zaq12wsx asdf zxcv abc abcd abcde the my me you is our your super mega ultra best cool hot sexy
    gangster player gamer hacker cracker warrior soldier ranger sniper captain doctor maverick rocket turbo nitro blaster
    """

  /// Fingers on a keyboard, and numbers that stand for something.
  static let patterns = """
    007bond 1a2b3c 1a2b3c4d 1g2w3e4r 1q2w 1qaz 1qaz2wsx 1qazxsw2 2fast4u 2pac 2wsx3edc 350z 3doors 3edc4rfv 4ever
    4life 4rfv5tgb 50cent a1b2c3 a1b2c3d4 aa11aa11 aaa111 abc123 abc1234 abcd1234 ac1dc acdc acdc1234 agent007
    asd123 asd123asd asdasd asdf1234 asdfg asdfgh asdfghj asdqwe asdqwe123 asdzxc azsxdc azsxdcfv b4by blink182
    bond007 c3po cbr600 cbr900 cs16 d3lta edcrfv f150 fifa17 ford150 gt40 gta5 h4ck3r h4x0r iop jkl l33t lkjhgf
    lkjhgfdsa mnbvcxz mp3 n00b ncc1701 ou812 p0rn plmokn poiuyt poiuytrewq ps2 ps3 ps4 qaz123 qaz1wsx2 qazwsx123
    qazxswedc qqww1122 qw12 qw12er34 qwaszx qwe123 qwe123qwe qwe456 qweasd qweasdzxc qweewq qweqwe qwer1234
    qwerasdf qwerfdsa qwert12345 qwerty12 qwerty123 qwerty1234 qwerty12345 qwertyui qwertzui r2d2 rfvtgb rush2112
    rx7 rx8 sum41 tgbyhn thx1138 trewq uiop w00t w1nd0ws wasd wasd1234 wsxedc yhnujm ytrewq z28 zaq1 zaq1xsw2
    zaqwsx zaqxsw zsexdr zxc123 zxcasd zxcasdqwe zxcv1234 zxczxc
    """

  /// All of them.
  static var all: [String] { [text, names, world, play, everyday, patterns] }
}
