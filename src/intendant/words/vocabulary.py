"""Words that matter whatever is asked for. Data only."""

SEPARATOR = ","
#: after one of them an ordinary word is a name: "a database called app"
NAMING_WORDS = frozenset({"called", "named"})
#: ordinary words that name something all the same where a part of something is named: "a database app"
PLAIN_NOUNS = frozenset("app application website production staging testing development data public".split())
#: orders that do harm when they were not meant, so no other word is taken for a slip of the keyboard of them
HARMFUL = frozenset("reboot close drop umount unmount unload block deny wipe format".split())

NEGATIONS = frozenset(
    "not no never nor neither cannot except unless avoid instead cancel rather skip undo nevermind don't dont "
    "doesn't doesnt didn't isn't isnt aren't wasn't won't wont can't cant shouldn't shouldnt couldn't wouldn't "
    "mustn't needn't haven't hasn't".split()
)
QUESTION_OPENERS = frozenset(
    "is are was were am do does did has have had can could may might should shall would will must what what's "
    "whats which who whose whom when where where's why how how's whether wonder tell show list explain describe "
    "check verify see find look report display print compare any anyone anybody".split()
)
#: words that join steps or the elements of a list
JOINERS = frozenset({"and", "then", "plus", SEPARATOR})
ARTICLES = frozenset("a an some any my your our another his her their its".split())
FUNCTION_WORDS = frozenset("is are to in into and with at on from for of as runs exists".split())
#: words that never are the name of something to install, start, create or delete
NO_NAMES = ARTICLES | frozenset(
    # pronouns, prepositions, auxiliaries, adverbs
    "the it them this that these those he she they we i you me us him one ones both all every each everything "
    "anything something nothing everyone same other others more less most least on onto in into at to from for of "
    "by with without as is are be been was were will would can could should must may might do does did has have "
    "had if when while until after before because since so but or and then also again please now soon later today "
    "tomorrow always only just really very maybe perhaps possibly up down out off over under here there "
    "everywhere somewhere finally lastly afterwards next new old latest newest current recent stable fresh "
    "version versions release yes ok using exists exist sorry oops pretend "
    "via like than too well what "
    # things of which there are many kinds (a plural counts as its singular)
    "server webserver database db firewall service daemon package software program app application website site "
    "tool editor browser proxy cache queue monitoring thing stuff update upgrade patch fix dependency "
    "prerequisites requirements computer machine host system node box network networking user account admin file "
    "folder directory group library config configuration settings options name named called job task process "
    "session connection port interface disk drive volume partition memory cpu storage space backup snapshot data "
    "content entry container cluster driver firmware kernel os linux debian ubuntu fedora centos rhel font "
    "certificate cert key license plugin extension module theme ipv4 ipv6 swap http ssl tls login logging log "
    "debug password passwd authentication encryption compression telemetry notifications alerts metrics "
    "statistics production staging development testing maintenance everybody nobody whatever whichever "
    # kinds of things
    "unused missing broken failed failing dead security essential extra additional optional basic common required "
    "useful important unnecessary obsolete outdated orphaned inactive idle local remote public private default "
    "custom own existing available running stopped installed enabled disabled automatic manual virtual free full "
    "empty first second third last next previous main primary secondary several many few multiple single".split()
)
#: orders for what shall be there, whatever it is; they stand for each other in frames
ARRIVALS = frozenset(
    "install|add|create|make|set up|setup|get|put|deploy|provide|need|needs|want|wants|enable|activate|roll out|"
    "configure|require|requires|turn on|switch on|prepare|provision|spin up|bring in".split("|")
)
#: orders that say what about a thing shall change, and so need more than the thing
SETTINGS = frozenset("set|change|switch|adjust|use|let|give|have|limit|restrict|keep|run|put|tell|move".split("|"))
#: orders for what shall be gone
DEPARTURES = frozenset(
    "remove|uninstall|delete|purge|get rid of|drop|kick|chuck|ditch|throw|bin|scrap|erase|discard|tear down|take|clear|"
    "get rid|nuke".split("|")
)
#: what may be left of an order for something to be gone: "throw it out"
PARTICLES = frozenset("out off away down of completely entirely altogether fully permanently".split())
#: words between the parts of a request that say nothing
FILLERS = frozenset("a an the some my our your their its new please pls plz and with but also , then of".split())
#: words that make a wish of what would be a statement otherwise
MODALS = frozenset("should must shall would like gladly want wants need needs i'd we'd".split())
#: other words that say nothing, but belong to whole sentences
PROFORMS = frozenset("i we you me us it them there running working have to".split())
#: words of sentences that tell something, near to words that order something but no slips of them
PROSE = frozenset(
    "shared those these whose chose chosen where wheel while whole ones notes tests tasks costs stage staged state "
    "stated start started steps steep steal stuff staff cache cached catch class clients client colleague colleagues "
    "light right might night weight party dirty sorry works worker workers world words ward wide white write wrote "
    "lists least lease leave lines links lived lives loads lose loose break broke brake broken braked form forms farm "
    "firm firms customers customer office school shop team boss pupil pupils lesson holidays year month week today "
    "tonight something somebody anybody anymore longer again once twice sure great nice good fine thank thanks "
    "mounted mountain count country house horse mouse hosted hosting ghost most lost cost post posts part parts party "
    "past paste poster panel pages paper power powers point points print prints prime price pricing price places "
    "place placed phase phrase phone plane plate planet plant plants plans after alter altar alert alerts article "
    "early easily heavy ready really reach reaches reached reason reasons release released releases report reported "
    "reports record records request requests response rights rule rules safe safety said sales same sample school "
    "second seconds section sector seen self sense sent separate series serious sheet shift short show shows side "
    "sign signal simple since small smart social soft sound south speed spend sport square stand still stock store "
    "story street strong student style subject such suite table tables tablet taken takes talk teach team terms text "
    "thing think third throw time times timer title total touch tower track trade train travel treat tree trial "
    "trouble true trust truth turned types under unity until upper usage users uses usual value values video view "
    "visit voice vote waste water wave ways wear weather website weird welcome west wheel window winter wish woman "
    "wonder wood wrong young".split()
)
#: pronouns that make a statement when they stand before what would be an order: "we restart nginx"
SUBJECTS = frozenset({"i", "we", "you", "they"})
#: words that are no names in a frame
_ADVERBS = frozenset("once twice again anew newly still already yet ever even both either such same more".split())
PLAIN = _ADVERBS | FILLERS | MODALS | PROFORMS | ARRIVALS | SETTINGS | DEPARTURES | NEGATIONS
#: words that tie a thing to what is said about it
THING_LINKS = frozenset("of for in with by via over through using to from on as".split())
#: what else people order; it is never a name after "and", and never what a list of names goes on with
COMMANDS = frozenset(
    "add allow apply ask back backup block boot bounce build call change check clean clear clone configure "
    "connect copy create cut delete deploy deny disable download drop edit enable ensure erase exec execute "
    "close ensure expose ban protect serve publish offer proxy permit unblock blacklist modprobe mkdir checkout "
    "umount synchronize "
    "synchronise extend fetch fix forward generate get give go grant halt harden import increase init initialise "
    "initialize insert install keep kill launch leave let limit link list load lock log make migrate mount move "
    "notify open patch pause ping point power print provision prune pull purge push put read reboot rebuild "
    "reconfigure reduce refresh register reinstall reload remove rename renew repair replace reset resize restart "
    "restore resume revert revoke roll rotate run save scale scan schedule secure send set setup share show shut "
    "shutdown sign start stop suspend switch sync take tell test touch tune turn uninstall unlock unmount update "
    "upgrade upload use verify wait watch wipe write empty truncate chuck ditch kick throw scrap bin discard".split()
)
