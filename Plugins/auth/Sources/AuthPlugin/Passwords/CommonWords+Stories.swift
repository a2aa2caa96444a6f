extension CommonWords {
  /// Figures of stories and games, bands, animals.
  static let play = """
    aardvark ababa aladdin albatross albus alien aliens alligator alucard anaconda anakin ant antelope apollo
    aragorn archer arsene arthas asgard assassin asterix astro atlantis avatar avenger avengers azazel backstreet
    badger balrog bambi banshee barbarian barbossa bardock barracuda bat beagle beaver beavis bebop bee beethoven
    beetle behemoth bender berserk berserker beyonce bieber bigbang bigdog bilbo bionicle bird birdie bison blade
    bleach blink blondie bond boromir bowser boxer buffy bugs bull bumblebee bunny butterfly butthead buzz
    calimero calypso canary carebear caribou cartman castlevania cat caterpillar cats centaur cerberus chameleon
    charizard cheetah chewbacca chewie chicken chihuahua chinchilla chipmunk chucky cinderella cloud cobain cobra
    cockatoo coldplay collie colossus conan condor corgi cougar counterstrike cow coyote crab crane crocodile crow
    crysis cthulhu cyborg cyclops dachshund daenerys daffy dalmatian daredevil darkness darthvader deadpool
    deathnote deer depeche dexter diablo digimon digital dilbert dinosaur doctorwho dog doggie dogs dolphin
    donatello donkeykong doom doraemon dove dracula dragonball dragonballz dragonfly drake duck duckie duckling
    dumbledore dumbo dungeon eel eeyore eldorado electra elephant enigma excalibur fallout fantasia fantasy fatal
    ferret fifa fish fishes flamingo flash flipper fox foxy frankenstein frog froggy frogs fullmetal futurama
    galadriel galaxy gambit gazelle gecko gerbil geronimo gimli giraffe gizmo gladiator goat goblin godzilla gohan
    gojira goku goldfish gollum goofy goose gorilla gotenks gothic grasshopper grendel greyhound grinch grizzly
    groot guerrero gundam gunner guns gunsnroses halflife halo hamster hannibal hare harlequin hatsune hawk
    hawkeye hedgehog hellboy hellraiser hendrix hercules hermione highlander hippo hobbes hogan horses hound hulk
    hummingbird husky hyena icarus iceman iguana illuminati incubus infinity inuyasha invader invincible
    ironmaiden itachi jackal jackass jayz jedi jellyfish jester jigsaw johncena joker judas juggernaut jumper
    jupiter jurassic justice kakashi kamikaze kangaroo katana kenshin kermit khaleesi kickass kingkong kirby
    kittens klingon knight knights koala kombat korn kratos krusty krypton labrador ladybird ladybug ladygaga lamb
    lancelot laracroft lazarus leagueoflegends legend legends legolas leopard leviathan lightsaber linkin
    linkinpark lioness lizard llama lobster loki lollipop lollypop lucifer luffy lynx mackerel madonna magneto
    magnum mammoth manatee mantis marlin marvel mastermind mastiff maximus medusa meerkat megadeth megaman
    megatron mercury mercy mermaid metal metalgear mewtwo midgard mikasa minion minions minotaur mjolnir moana
    mockingbird mongoose monkeys monster monsters moose mordor morpheus mortal mosquito moth motley mozart mufasa
    mulan mule muppet muse mystic mystique mythology narnia naruto narwhal necromancer nemesis nemo neptune
    nightingale nightmare nightwing obelix obiwan oblivion octopus odin odyssey olympus omega onedirection
    onepiece optimus orca orion ostrich otter outkast outlaw overlord overwatch owl pacman padme panda pandas
    pantera paramore parrot peacock pegasus pelican penguin penguins peterpan phantom pheasant picard pickachu pig
    pigeon piggy piglet pikachu pinocchio piranha pitbull platypus pluto pocahontas polaris poodle popeye
    porcupine poseidon possum predator prodigy prometheus puffin pug punisher puppies python quake quasar rabbit
    raccoon radiohead raiden ram rambo ramones rapunzel rat ratatouille rebel reindeer renegade reptile resident
    retriever revolution rhino rhinoceros riddler rihanna roadrunner robocop rockstar rolling romulus rooster
    rottweiler runescape saiyan salamander salmon sauron scarab scarface scooby scoobydoo scorpio scorpion scream
    seagull seahorse seal sephiroth shakira shark sharks sheep shepherd sherlock shrek shrimp simba simpsons
    sinatra skeletor skunk skyrim slash slayer sleepy slipknot sloth smurf snail snake snakes snape snoopdogg
    socrates solaris songoku sonic southpark spaniel sparrow sparta spartacus spawn spectrum spider spiders spirit
    spock sponge squall squid squirrel stallion stargate stewie stitch stonecold stork subzero superboy supernova
    swallow swan symphony tarantula tarpon taylorswift tekken templar terminator terrier thanos thor tigers
    timelord tinkerbell titan titanic tomandjerry tombraider tortoise totoro toucan transformer transformers
    triton troll trooper trout trunks tuna tupac turtle turtles tweety twilight twister ultraman ultron unicorn
    universe valkyrie vegeta venom venus viking villain violin voldemort voyager vulture walle walrus warcraft
    warhammer wario warlock warlord wasp watchmen weasel werewolf whale whippet wildcat wildhorse winnie
    winniethepooh wolfpack wombat worldofwarcraft worm wrestler wrestling xfiles xmen yak yoda yoshi yugioh zebra
    zeppelin zeus zodiac zombies zorro
    """
}
