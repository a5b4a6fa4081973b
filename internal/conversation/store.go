package conversation

import "context"

// State says where a conversation stands for the people who answer.
type State byte

// The states of a conversation.
const (
	Waiting State = 1 // no agent or supervisor is a member
	Taken   State = 2
	Closed  State = 3
)

// Entry is one object of a conversation's log as it is stored.
type Entry struct {
	Seq    uint64
	Object []byte
	Hash   [32]byte // SHA-256 of Object
	Log    [32]byte // the log's running hash after it
	At     int64    // milliseconds since 1970, when it was taken
}

// Wrap is an epoch's secret for one key object.
type Wrap struct {
	To     [32]byte // hash of the key object
	Object []byte
}

// Record is what one transaction adds to a conversation: the entry, the wraps
// that came with it and where the conversation stands after it.
type Record struct {
	Conv    [32]byte
	Dept    [16]byte
	Entry   Entry
	Message []byte // leaf(2) msg_id(16) of an event; nil for other kinds
	Wraps   []Wrap
	State   State
	Members [][32]byte // members after it: hash of the certificate, conv for the visitor
	Seats   [][16]byte // subjects of the agents and supervisors among them, each once
	Site    string     // where the conversation came from; of its first record only
	Room    *Room      // what an accept needs; nil for the rest
}

// Room is the condition that one more conversation fits: its subject has fewer
// open ones than these, this one not counted.
type Room struct {
	Subject       [16]byte
	InDept, InAll int
}

// Listed is a conversation as a queue shows it.
type Listed struct {
	Conv    [32]byte
	Dept    [16]byte
	State   State
	Seq     uint64     // of the last entry
	At      int64      // of the last entry
	Since   int64      // when it began, or began again after a close
	Site    string     // where it came from
	Members [][32]byte // as in Record
}

// Store keeps conversations. Every method is safe for concurrent use.
type Store interface {
	Log
	Lists
}

// Log keeps what conversations are made of.
type Log interface {
	// Append commits one or more records together, each the next of its
	// conversation: its Seq is one above the last, 0 for the first. It returns
	// after the commit has reached the disk. A sequence, hash or message that is
	// already there gives ErrTaken, a Room that is not there ErrFull, and both
	// change nothing.
	Append(ctx context.Context, records ...Record) error
	// Entries gives at most limit entries with a sequence of at least from, in order.
	Entries(ctx context.Context, conv [32]byte, from uint64, limit int) ([]Entry, error)
	// ByHash finds one entry; ErrNotFound when there is none.
	ByHash(ctx context.Context, conv, hash [32]byte) (Entry, error)
	// Conversation gives the conversation as a queue shows it, or ErrNotFound.
	Conversation(ctx context.Context, conv [32]byte) (Listed, error)
	// Wraps gives the conversation's wraps for the given key objects, oldest first.
	Wraps(ctx context.Context, conv [32]byte, to [][32]byte) ([][]byte, error)
}

// Lists answers who waits and who answers, by index: nothing of it reads the
// conversations that are over.
type Lists interface {
	// OfDepartment gives at most limit conversations of a department that are
	// Waiting or Taken, those that came first first.
	OfDepartment(ctx context.Context, dept [16]byte, state State, limit int) ([]Listed, error)
	// OfPerson gives at most limit conversations in which a subject has a seat,
	// those that are open or those that are closed, the last changed first.
	OfPerson(ctx context.Context, subject [16]byte, closed bool, limit int) ([]Listed, error)
	// Load gives how many open conversations a subject has a seat in.
	Load(ctx context.Context, subject [16]byte, dept [16]byte) (inDept, inAll int, err error)
	// Line gives how many conversations of a department wait, and since when the
	// first does, 0 when none does.
	Line(ctx context.Context, dept [16]byte) (waiting int, oldest int64, err error)
	// Answered reports whether anybody has ever had a seat.
	Answered(ctx context.Context) (bool, error)
	// Ahead gives how many conversations wait that come before this one in the
	// order of OfDepartment.
	Ahead(ctx context.Context, l Listed) (int, error)
}
