extension CommonWords {
  /// The names that people have, and their families.
  static let names = """
    aaron abby abigail abraham adam addison adelaide adele adrian adriana adrianna adrienne agnes agnieszka ahmed
    aida aidan aileen aimee aisha alan alana albert alberto aldo alejandra alejandro alena alessandra alessandro
    alessia alexa alexandra alexandria alexia alexis alfonso alfred alfredo ali alice alicia alina alisha alison
    alissa allan allen allison alma almeida alvarez alvaro alvin alyssa amal amber amelia amelie amina amir amos
    amy ana anastasia anders anderson andersson andre andreas andrei andres andrey andy angela angelica angelo
    angie anita anja anjali ann annabelle anne annette annie annika antoine anton antonia antonio anya archie
    ariana arianna ariel arjun arlene armando arnaud arnold arthur arturo arun asher ashlee ashleigh ashton astrid
    athena aubrey audrey augustus aurelia aurora austin ava avery axel ayesha aylin bailey barnes barney barry
    bartek basil beatrice beatriz becker becky bella ben benedict benjamin bennett benny benoit bernard bernardo
    bernd bernie bert bertha beth bethany betsy betty beverly bianca bianchi bill billie billy birgit bjorn blake
    bob bobbie bobby bogdan bonnie boris brad bradley brady branden brandi brandon brandy braun brayden brenda
    brendan brent bret brett brian briana brianna bridget britney brittany brock brody brooke brooklyn brooks
    brown bruce bruno bryan bryant bryce bryson butler byron caitlin caleb calvin cameron camila camille campbell
    candace candice cara carina carl carla carlo carlos carly carmela carmen carol caroline carolyn carrie carson
    carter carvalho casey casper cassandra cassidy cassie castillo catarina catherine cathy cecil cecilia cedric
    celeste celia celine cesar chad chandler chantal charlene charlotte chase chavez cheryl chester chloe chris
    chrissy christa christiana christine christopher christy chuck cindy claire clara clarence clark claudia
    claudio clay clayton clement clementine cleo clifford clifton clint clinton clyde cody colby cole coleman
    colette colin colleen collin collins colombo connie connor conrad constance conti cooper cora corey corinne
    cornelia cory costa courtney craig cristian cristiano cristina cruz curtis cynthia cyrus dakota dale damian
    damien damon dan dana dani daniela daniele danilo danny daphne darcy daria dario darius darla darlene darrell
    darren darryl daryl dave davide davis dawn dawson dean deanna debbie deborah debra declan deepak delia delilah
    delores demetrius denis denise dennis derek derrick desiree desmond destiny devin devon diana diane dianna
    diaz diego dieter dillon dimitri dina dinesh dino dirk dmitry dolores dominic dominik dominique don donna
    donnie donovan dora doreen doris dorothy doug douglas drew duane duncan dustin dwayne dylan earl ebony eddie
    edgar edith edmund eduardo edward edwards edwin eileen elaine eleanor elena eleonora eli elias elijah elisa
    elise elisha eliza ella elle ellen ellie elliot elliott elmer elodie eloise elsa elsie elvira elvis emanuel
    emerson emil emile emilia emilie emilio emily emmanuel enrico enrique enzo eric erica erich erick erik erika
    erin ernest ernesto esmeralda esposito esteban estelle esther ethan etienne eugene eugenia eunice eva evan
    evelyn everett ezekiel ezra fabian fabien fabio fabrice fatima federico felicia felicity felipe felix
    ferdinand fernanda fernandes fernando filip filippo finley fiona fischer fisher flavia flavio flora florence
    flores floyd foster frances francesca francesco francis francisco franco francois frank frankie franklin franz
    fred freddie freddy frieda fritz gabe gabriel gabriela gabriele gabriella gabrielle gail gallo garcia garrett
    garry gary gavin gemma gene genesis genevieve geoff geoffrey georg georgia gerald geraldine gerard gerardo
    gerhard german gertrude giacomo gianluca gianni gideon gilbert gilberto gina giorgia giorgio giovanna giovanni
    giulia giuliano giulio giuseppe gladys glen glenda glenn gloria gomez gonzalez gordon graham grant gray
    grayson greco greg gregor gregory greta griffin guido guillaume guillermo gunther gus gustav gustavo gutierrez
    guy gwen gwendolyn hailey hakan haley hamilton hamza hannah hans hansen harold harper harriet harris harrison
    hartmann harvey hassan hazel heath heather hector hedwig heidi heike heinrich heinz helen helena helene helga
    helmut henderson henri henrik henry herbert herman hermann hernan hernandez herrera hilary hilda hoffmann
    hofmann holger holly horst howard hubert hugh hughes hugo humberto ian ibrahim ida ignacio igor ilona ilse
    imani imran ina ines ingrid ira irene irina iris irma isaac isabel isabella isabelle isaiah isha ismael israel
    ivan ivana ivanov ivy jace jackie jackson jacob jacqueline jacques jade jaden jaime jake jamal jamie jan jana
    jane janet janice janine jared jasmin jason jasper javier jay jayden jayla jean jeanette jeanne jeff jefferson
    jeffery jeffrey jenkins jenna jennie jenny jens jensen jeremiah jeremy jermaine jerome jerry jesse jessie jill
    jim jimena jimenez jimmie jimmy joan joanie joanna joanne joao joaquin jocelyn jodie jody joe joel joelle joey
    johan johann johanna johannes johansson johnathan johnnie johnny johnson jon jonah jonas jonathan jones jorge
    jose josef josephine josh josiah josie joy joyce juan juana juanita judith judy julia julian juliana julianna
    julie julien juliet juliette julio julius justin justine kai kaitlyn karen karin karina karl karla karol
    karsten kasia kate katelyn katharina katherine kathleen kathryn kathy katia katie katja katrin katrina katy
    kay kayla keira keith kelley kelli kelly kelsey kelvin ken kendall kendra kenneth kenny kent kerry kevin
    khalid kiara kim kimberly kira kirk kirsten klaus klein kobe koch konrad konstantin kowalski krause krista
    kristen kristi kristian kristin kristina kristine kristopher krueger krystal kurt kyle kylie lamar lana lance
    landon lange lara larissa larry lars larsen latoya lauren laurence laurent laurie lawrence layla leah leandro
    lee lehmann leif leila lena leo leon leona leonard leonardo leonie leroy leslie lester leticia levi lewis lexi
    liam liana lidia lila lilian liliana lillian lilly lima lina lincoln linda lindsay lindsey linus lionel lisa
    liz liza lizzie logan lois lola lonnie lopez loren lorena lorenzo loretta lori lorraine lothar lou louis
    louisa louise lourdes luca lucas lucia lucian luciana luciano lucie lucille lucinda lucy luigi luis luisa
    lukas lukasz luna lupe luther lydia lyle lynda lynn mabel mack mackenzie macy maddie maddox madeleine madeline
    madison mae magdalena maggie magnus maja malcolm malik mallory mandy manfred manuel manuela marc marcel
    marcela marcelo marcia marcin marco marcos marcus marek margaret margarita margaux margo margot mariah mariam
    mariana marianne maribel marie marijke marilyn marina marino mario marion marisa marisol marissa marius
    marjorie markus marlene marlon marshall marta martha martina martinez martins marty marvin mary maryam mason
    massimo mateo mateus mathew mathieu mathilde matilda matt matteo matthias mattie maud maureen maurice mauricio
    mauro maxim maxime maximilian maxine maxwell maya medina megan meghan mehmet melanie melinda melissa melody
    melvin mendoza meredith meyer mia micah michaela michal micheal michel michele miguel mika mikael mike mikhail
    mila milena miles miller milo milton mina mindy minerva miranda miriam misty mitch mitchell mohamed mohammed
    moira molly mona monica monika monique morales moreno morgan morris moses muhammad murphy murray mustafa myers
    myles myra myriam nadia nadine nancy naomi natalia natalie natasha nate nathalie nathan nathaniel neal ned
    nelly nelson nestor neumann neville nguyen nicholas nick nickolas nicky nico nicola nicolas nikita nikki
    niklas niko nikola nikolai nikolas nils nina noah noel noelle nora norbert norma norman novak nowak octavia
    odette olaf oleg olga olive olivia olivier ollie olsen omar ophelia orlando ortiz oscar oskar otto owen pablo
    paige paloma pam pamela paola paolo parker pascal pat patel patrice patricia patricio patrik patsy patti patty
    paula pauline paulo pavel pearl pedro peggy penelope penny percy pereira perez perry petar pete peterson petra
    petrov peyton phil philip philipp philippe phillip phillips phoebe pierre piotr polly powell preston price
    priscilla priya quentin quincy quinn rachel rafael rainer raj rajesh ralf ralph ramirez ramiro ramon ramona
    ramos randall randolph randy raphael raquel rashid raul raven ravi ray raymond rebecca rebekah reece reed
    reggie regina reginald reinhard renata renate rene renee rex reyes reynaldo reynolds rhonda ribeiro ricardo
    riccardo ricci richter rick rickey ricky rita rivera rob robbie robby roberta roberto roberts robin robinson
    robyn rocco rochelle rocio rocky rod rodney rodolfo rodrigo rodriguez roger rogers rohan roland rolando rolf
    roman romano romeo romero ron ronald ronnie rory rosa rosalie rosalind rosanna rosie ross rossi roxana roxanne
    roy ruben ruby rudolf rudolph rudy rufus ruiz rupert russell russo rusty ruth ryan sabine sabrina sadie sally
    salvador salvatore sam samantha samir sammy samson samuel sanchez sanders sandra sandro sandy sanjay santiago
    santino santos sara sascha sasha saskia saul savannah scarlett schmidt schneider schroeder schulz schwarz
    scott sean sebastien selena selma serena serge sergei sergio seth shane shania shannon shari sharon shaun
    shawn shawna sheena sheila shelby sheldon shelley shelly sheri sherman sherri sherry sheryl shirley sid sidney
    siegfried sierra sigrid silas silva silvia silvio simmons simon simona simone sinead skylar smith sofia sofie
    solomon sonia sonja sonya sophia souza spencer stacey stacy stan stanley stefan stefania stefanie stefano
    steffen stella stephan stephanie stephen sterling steve steven stewart stuart sue sullivan sunil susan susanna
    susanne susie suzanne suzy sven svetlana sybil sydney sylvester sylvia sylvie tabitha tamara tammy tania tanja
    tanner tanya tara tasha tatiana taylor ted teddy terence teresa terrance terrell terri terry tess tessa thea
    thelma theo theodore theresa therese thiago thompson tiago tiffany tim timmy timo timothy tina tobias toby
    todd tom tomas tomasz tommy toni tony tonya torres tracey tracy travis trent trevor tricia trina trinity
    tristan troy tucker turner tyler tyrone tyson ulrich ulrike ursula uwe valentin valentina valentino valeria
    valerie vanessa vasquez vera vernon veronica veronika vicki vickie vicky victor victoria vijay viktor viktoria
    vince vincent vincenzo viola violet violeta virginia vivian viviana viviane vladimir volker wade wagner walker
    wallace walter wanda ward warren watson waylon wayne weber wendell wendy werner wesley whitney wilbur wilfred
    wilhelm will willa willard williams willie willis willow wilma wilson winston wolfgang wood woody wright wyatt
    xander xavier ximena yasmin yasmine yolanda young yuri yusuf yvette yvonne zach zachary zack zane zara zelda
    zimmermann zoe zoey
    """
}
