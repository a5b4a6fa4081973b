package policy

// Action is what somebody wants to do; its text is its name in the policies.
type Action string

// The actions on one conversation.
const (
	ReadEntries Action = "ReadEntries" // have the log
	AppendEntry Action = "AppendEntry" // add to the log
	Accept      Action = "Accept"      // come in with the department's keys
	Follow      Action = "Follow"      // hear of entries when they come, and who types
	Typing      Action = "Typing"      // tell the others that one types
	SeePlace    Action = "SeePlace"    // how many wait before this one
	SeeTeam     Action = "SeeTeam"     // who waits and who answers, since when: no content
)

// WatchQueue is the action on one department: hear that its queue has changed.
const WatchQueue Action = "WatchQueue"

// The actions on the organisation.
const (
	SeeSite           Action = "SeeSite"
	SeeTrust          Action = "SeeTrust" // the organisation's public objects
	Prove             Action = "Prove"    // a key, for a session
	TakeTicket        Action = "TakeTicket"
	Connect           Action = "Connect" // a socket, by a ticket; what it carries is asked again
	Begin             Action = "Begin"   // a conversation
	SignIn            Action = "SignIn"
	Join              Action = "Join" // by a one-time link
	SignOut           Action = "SignOut"
	SeeSelf           Action = "SeeSelf"
	ChangeSelf        Action = "ChangeSelf" // password and recovery codes
	SetPresence       Action = "SetPresence"
	Enrol             Action = "Enrol"             // ask for a certificate
	HandInKey         Action = "HandInKey"         // a device's key object
	SeeDepartmentKeys Action = "SeeDepartmentKeys" // wrapped for one's own device
	SeeQueue          Action = "SeeQueue"          // the rows that SeeTeam and ReadEntries allow
	Supervise         Action = "Supervise"         // queue and agents of one's departments
	SeePeople         Action = "SeePeople"
	ManagePeople      Action = "ManagePeople"
	SeeDepartments    Action = "SeeDepartments"
	ManageDepartments Action = "ManageDepartments"
	SeeSites          Action = "SeeSites"
	ManageSites       Action = "ManageSites"
	SeeSetup          Action = "SeeSetup" // what an installation still lacks
)

// kind is the type of resource that an action is about.
type kind string

const (
	conversation kind = "Conversation"
	ofDepartment kind = "Department"
	organisation kind = "Organisation"
)

// actions says what each is about; the schema must say the same.
var actions = map[Action]kind{
	ReadEntries: conversation, AppendEntry: conversation, Accept: conversation, Follow: conversation,
	Typing: conversation, SeePlace: conversation, SeeTeam: conversation,
	WatchQueue: ofDepartment,
	SeeSite:    organisation, SeeTrust: organisation, Prove: organisation, TakeTicket: organisation, Connect: organisation, Begin: organisation,
	SignIn: organisation, Join: organisation, SignOut: organisation, SeeSelf: organisation, ChangeSelf: organisation,
	SetPresence: organisation, Enrol: organisation, HandInKey: organisation, SeeDepartmentKeys: organisation,
	SeeQueue: organisation, Supervise: organisation, SeePeople: organisation, ManagePeople: organisation,
	SeeDepartments: organisation, ManageDepartments: organisation, SeeSites: organisation, ManageSites: organisation,
	SeeSetup: organisation,
}

// Known reports whether there is such an action.
func (a Action) Known() bool { _, ok := actions[a]; return ok }

// AboutConversation reports whether the action is about one conversation, so
// that its facts are needed.
func (a Action) AboutConversation() bool { return actions[a] == conversation }
