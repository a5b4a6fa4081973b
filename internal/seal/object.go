package seal

// Role is what a member is in a roster, and a certificate's kind.
type Role = byte

// The roles; an enroller is in no roster.
const (
	Visitor    Role = 1
	Agent      Role = 2
	Supervisor Role = 3
	Department Role = 4
	Bot        Role = 5
	Scanner    Role = 6
	Archive    Role = 7
	Server     Role = 8
	Enroller   Role = 9
)

// Modes, custody, an enroller's rights, reasons, wrap types and classes, with
// the numbers of section 4.
const (
	Assisted byte = 1
	Sealed   byte = 2

	Company  byte = 1
	Operator byte = 2

	RightDevices     byte = 1 << 0
	RightDepartments byte = 1 << 1
	RightServices    byte = 1 << 2

	ReasonGenesis byte = 0
	ReasonAccept  byte = 1
	ReasonMembers byte = 2
	ReasonRekey   byte = 3
	ReasonRepair  byte = 4
	ReasonReopen  byte = 5

	WrapEpoch      byte = 1
	WrapDepartment byte = 2
	WrapKept       byte = 3

	ClassMessage  byte = 1
	ClassControl  byte = 2
	ClassClose    byte = 3
	ClassEpochBad byte = 4

	// NoAccept is an epoch's accept when nobody countersigns.
	NoAccept uint16 = 0xffff
)

// Issuer is who may vouch for a visitor's identity.
type Issuer struct {
	Algorithm byte
	Name      string
	Key       []byte
}

// Mandatory is a line of the policy: a member that a department's
// conversations have always.
type Mandatory struct {
	Role    Role
	Subject [16]byte
}

// DepartmentPolicy is what the policy says of one department.
type DepartmentPolicy struct {
	ID          [16]byte
	Mode        byte
	Roles       uint16 // bit r: role r may be a member
	Takeover    bool   // a department may accept though an agent is a member
	Keep        bool   // a department stays after an accept
	History     byte   // 0 from now, 1 all
	MaxAgeHours uint16 // of a genesis that is accepted
	MaxCertDays uint16
	Mandatory   []Mandatory
}

// Policy is what the organisation's root says.
type Policy struct {
	encoded
	Org           [32]byte
	RootKey       [32]byte
	Version       uint32
	Time          uint64 // milliseconds, as all times
	MinVersion    byte
	NextRoot      [32]byte // hash of the next root key
	StatusKey     [32]byte
	StatusCustody byte
	MaxCertDays   uint16
	LogRequired   bool
	Enrollers     [][32]byte // hashes of certificates
	Issuers       []Issuer
	Departments   []DepartmentPolicy // sorted by id
	Signature     [64]byte
}

func (*Policy) kind() Kind { return KindPolicy }

func (p *Policy) fields(c *codec) {
	c.fixed("org_id", p.Org[:])
	c.fixed("root_pk", p.RootKey[:])
	c.u32("version", &p.Version)
	c.u64("time", &p.Time)
	c.u8("min_ver", &p.MinVersion)
	c.fixed("next_root_hash", p.NextRoot[:])
	c.fixed("status_pk", p.StatusKey[:])
	c.among("status_custody", &p.StatusCustody, Company, Operator)
	c.u16("max_cert_days", &p.MaxCertDays)
	c.flag("log_required", &p.LogRequired)
	list(c, "enrollers", 1, 32, &p.Enrollers, func(e *[32]byte) { c.fixed("cert_hash", e[:]) })
	list(c, "issuers", 1, 3, &p.Issuers, func(i *Issuer) {
		c.among("alg", &i.Algorithm, 1, 2)
		c.name("iss", &i.Name)
		c.variable("key", 1, 0, 255, &i.Key)
	})
	list(c, "departments", 1, 26, &p.Departments, func(d *DepartmentPolicy) {
		c.fixed("dept", d.ID[:])
		c.among("mode", &d.Mode, Assisted, Sealed)
		c.u16("roles", &d.Roles)
		c.require(d.Roles&^0x1fc == 0, "roles has bits other than 2 to 8")
		c.flag("takeover", &d.Takeover)
		c.flag("keep_dept", &d.Keep)
		c.among("history", &d.History, 0, 1)
		c.u16("max_age_hours", &d.MaxAgeHours)
		c.u16("max_cert_days", &d.MaxCertDays)
		list(c, "mandatory", 1, 17, &d.Mandatory, func(m *Mandatory) {
			c.among("role", &m.Role, Agent, Server)
			c.fixed("subject", m.Subject[:])
		})
	})
	c.signature(&p.Signature)
}

// Department gives what the policy says of a department, or nil.
func (p *Policy) Department(id [16]byte) *DepartmentPolicy {
	for i := range p.Departments {
		if p.Departments[i].ID == id {
			return &p.Departments[i]
		}
	}
	return nil
}

// Certificate names a device, a department's generation, a service or an
// enroller.
type Certificate struct {
	encoded
	Org         [32]byte
	Kind        Role
	Custody     byte
	Subject     [16]byte
	Device      [16]byte
	Serial      [16]byte
	Dept        [16]byte // of a department only
	Generation  uint32   // of a department only
	Rights      byte     // of an enroller only
	Departments [][16]byte
	Name        string
	Title       string
	SigKey      [32]byte
	NotBefore   uint64
	NotAfter    uint64
	Issuer      [32]byte
	Signature   [64]byte
}

func (*Certificate) kind() Kind { return KindCertificate }

func (x *Certificate) fields(c *codec) {
	c.fixed("org_id", x.Org[:])
	c.among("kind", &x.Kind, Agent, Enroller)
	c.among("custody", &x.Custody, Company, Operator)
	c.fixed("subject", x.Subject[:])
	c.fixed("device", x.Device[:])
	c.fixed("serial", x.Serial[:])
	c.fixed("dept", x.Dept[:])
	c.u32("gen", &x.Generation)
	c.require(x.Kind == Department || x.Dept == [16]byte{} && x.Generation == 0, "dept and gen are zero but in a department's")
	c.among("rights", &x.Rights, 0, 7)
	c.require(x.Kind == Enroller || x.Rights == 0, "rights are zero but in an enroller's")
	list(c, "departments", 1, 16, &x.Departments, func(d *[16]byte) { c.fixed("dept", d[:]) })
	c.name("name", &x.Name)
	c.name("title", &x.Title)
	c.fixed("sig_pk", x.SigKey[:])
	c.u64("not_before", &x.NotBefore)
	c.u64("not_after", &x.NotAfter)
	c.fixed("issuer", x.Issuer[:])
	c.signature(&x.Signature)
}

// KeyObject is a KEM public key signed by its owner.
type KeyObject struct {
	encoded
	Org       [32]byte
	Owner     [32]byte // hash of its certificate; conv for a visitor
	KEMKey    [KEMPublicKeySize]byte
	NotBefore uint64
	NotAfter  uint64
	Signature [64]byte
}

func (*KeyObject) kind() Kind { return KindKeyObject }

func (k *KeyObject) fields(c *codec) {
	c.fixed("org_id", k.Org[:])
	c.fixed("owner", k.Owner[:])
	c.fixed("kem_pk", k.KEMKey[:])
	c.u64("not_before", &k.NotBefore)
	c.u64("not_after", &k.NotAfter)
	c.signature(&k.Signature)
}

// Generation is the lowest generation of a department's keys that counts.
type Generation struct {
	Dept    [16]byte
	Minimum uint32
	Since   uint64
}

// Revocation ends a certificate.
type Revocation struct {
	Certificate [32]byte // its hash
	Since       uint64
}

// Status says what holds now.
type Status struct {
	encoded
	Org           [32]byte
	PolicyVersion uint32
	PolicyHash    [32]byte
	IssuedAt      uint64
	NotAfter      uint64
	Generations   []Generation
	Revoked       []Revocation
	LogSize       uint64
	LogRoot       [32]byte
	Signature     [64]byte
}

func (*Status) kind() Kind { return KindStatus }

func (s *Status) fields(c *codec) {
	c.fixed("org_id", s.Org[:])
	c.u32("policy_version", &s.PolicyVersion)
	c.fixed("policy_hash", s.PolicyHash[:])
	c.u64("issued_at", &s.IssuedAt)
	c.u64("not_after", &s.NotAfter)
	list(c, "min_gen", 1, 28, &s.Generations, func(g *Generation) {
		c.fixed("dept", g.Dept[:])
		c.u32("gen", &g.Minimum)
		c.u64("since", &g.Since)
	})
	list(c, "revoked", 2, 40, &s.Revoked, func(r *Revocation) {
		c.fixed("cert_hash", r.Certificate[:])
		c.u64("since", &r.Since)
	})
	c.u64("log_size", &s.LogSize)
	c.fixed("log_root", s.LogRoot[:])
	c.signature(&s.Signature)
}

// Enrolment is a device's request for its certificate.
type Enrolment struct {
	encoded
	Org        [32]byte
	Invitation [16]byte // its name, not the secret
	Subject    [16]byte
	Device     [16]byte
	Kind       Role
	SigKey     [32]byte
	Time       uint64
	Signature  [64]byte
}

func (*Enrolment) kind() Kind { return KindEnrolment }

func (e *Enrolment) fields(c *codec) {
	c.fixed("org_id", e.Org[:])
	c.fixed("invitation", e.Invitation[:])
	c.fixed("subject", e.Subject[:])
	c.fixed("device", e.Device[:])
	c.among("kind", &e.Kind, Agent, Server)
	c.fixed("sig_pk", e.SigKey[:])
	c.u64("time", &e.Time)
	c.signature(&e.Signature)
}

// RootChange hands the organisation to its next root key.
type RootChange struct {
	encoded
	OldKey       [32]byte
	NewKey       [32]byte
	Version      uint32
	Time         uint64
	OldSignature [64]byte
	NewSignature [64]byte
}

func (*RootChange) kind() Kind { return KindRootChange }

func (r *RootChange) fields(c *codec) {
	c.fixed("old_pk", r.OldKey[:])
	c.fixed("new_pk", r.NewKey[:])
	c.u32("version", &r.Version)
	c.u64("time", &r.Time)
	c.signature(&r.OldSignature)
	c.signature(&r.NewSignature)
}

// Genesis begins a conversation and names it by its hash.
type Genesis struct {
	encoded
	Org        [32]byte
	Dept       [16]byte
	Mode       byte
	PolicyHash [32]byte
	SigKey     [32]byte
	Nonce      [32]byte
	Time       uint64
	Signature  [64]byte
}

func (*Genesis) kind() Kind { return KindGenesis }

func (g *Genesis) fields(c *codec) {
	c.fixed("org_id", g.Org[:])
	c.fixed("dept", g.Dept[:])
	c.among("mode", &g.Mode, Assisted, Sealed)
	c.fixed("policy_hash", g.PolicyHash[:])
	c.fixed("sig_pk", g.SigKey[:])
	c.fixed("nonce", g.Nonce[:])
	c.u64("time", &g.Time)
	c.signature(&g.Signature)
}

// Member is one line of a roster.
type Member struct {
	Leaf        uint16
	Role        Role
	Certificate [32]byte // its hash; conv for the visitor
	KeyObject   [32]byte
}

// Epoch is a roster with the commitment to its secret.
type Epoch struct {
	encoded
	Conv          [32]byte
	N             uint32
	Prev          [32]byte
	SeenSeq       uint64
	SeenLog       [32]byte
	Time          uint64
	Author        uint16
	Accept        uint16
	Reason        byte
	PolicyVersion uint32
	PolicyHash    [32]byte
	NotesID       [32]byte
	LogRoot       [32]byte
	Members       []Member
	Commitment    [32]byte
	WrapHashes    [][32]byte
	Signature     [64]byte
	Countersign   [64]byte // only where Accept names a leaf

	coreSize int
}

func (*Epoch) kind() Kind { return KindEpoch }

func (e *Epoch) fields(c *codec) {
	e.core(c)
	if c.writing {
		e.coreSize = len(c.in)
	}
	c.fixed("commit", e.Commitment[:])
	list(c, "wrap_hashes", 1, 32, &e.WrapHashes, func(h *[32]byte) { c.fixed("hash", h[:]) })
	c.signature(&e.Signature)
	if e.Accept != NoAccept {
		c.signature(&e.Countersign)
	}
}

func (e *Epoch) core(c *codec) {
	c.fixed("conv", e.Conv[:])
	c.u32("n", &e.N)
	c.fixed("prev_epoch", e.Prev[:])
	c.u64("seen_seq", &e.SeenSeq)
	c.fixed("seen_log", e.SeenLog[:])
	c.u64("time", &e.Time)
	c.u16("author", &e.Author)
	c.u16("accept", &e.Accept)
	c.among("reason", &e.Reason, ReasonGenesis, ReasonReopen)
	c.require((e.Reason == ReasonGenesis) == (e.N == 0), "reason is 0 exactly in epoch 0")
	c.require((e.Reason == ReasonAccept) == (e.Accept != NoAccept), "reason is 1 exactly when accept names a leaf")
	c.u32("policy_version", &e.PolicyVersion)
	c.fixed("policy_hash", e.PolicyHash[:])
	c.fixed("notes_id", e.NotesID[:])
	c.fixed("log_root", e.LogRoot[:])
	list(c, "members", 1, 67, &e.Members, func(m *Member) {
		c.u16("leaf", &m.Leaf)
		c.among("role", &m.Role, Visitor, Server)
		c.fixed("cert", m.Certificate[:])
		c.fixed("keyobj", m.KeyObject[:])
	})
}

// CoreHash is SHA-256(ver kind suite core), which the secret is bound to.
func (e *Epoch) CoreHash() [32]byte {
	if e.coreSize == 0 {
		encode(e)
	}
	return hashOf(e.bytes[:e.coreSize])
}

// member gives the roster's line of a leaf, or nil, and its place.
func (e *Epoch) member(leaf uint16) (*Member, int) {
	for i := range e.Members {
		if e.Members[i].Leaf == leaf {
			return &e.Members[i], i
		}
	}
	return nil, -1
}

// Event is one sealed message or act of a member.
type Event struct {
	encoded
	N          uint32
	Leaf       uint16
	Class      byte
	MessageID  [16]byte
	SeenSeq    uint64
	SeenLog    [32]byte
	Time       uint64 // whole seconds, in milliseconds
	Ciphertext []byte
	Commitment [32]byte
	Signature  [64]byte
}

func (*Event) kind() Kind { return KindEvent }

const eventHeader = headerSize + 4 + 2 + 1 + 16 + 8 + 32 + 8

func (e *Event) fields(c *codec) {
	c.u32("n", &e.N)
	c.u16("leaf", &e.Leaf)
	c.among("class", &e.Class, ClassMessage, ClassEpochBad)
	c.fixed("msg_id", e.MessageID[:])
	c.u64("seen_seq", &e.SeenSeq)
	c.fixed("seen_log", e.SeenLog[:])
	c.u64("time", &e.Time)
	c.require(e.Time%1000 == 0, "time is no whole second")
	c.variable("ct", 2, minPadded+tagSize, maxPadded+tagSize, &e.Ciphertext)
	c.fixed("C", e.Commitment[:])
	c.signature(&e.Signature)
}

// header is h of section 4.3: the object's header and the event's.
func (e *Event) header() []byte { return e.bytes[:eventHeader] }

// Grant gives the secrets of epochs to a member that came later.
type Grant struct {
	encoded
	Conv       [32]byte
	Epoch      [32]byte // hash of the last epoch
	From       uint32   // first epoch whose secret it holds
	To         uint32   // last one
	ToLeaf     uint16
	Author     uint16
	SeenSeq    uint64
	SeenLog    [32]byte
	Time       uint64
	Enc        [KEMEncSize]byte
	Ciphertext []byte
	Signature  [64]byte

	head int // where enc begins
}

func (*Grant) kind() Kind { return KindGrant }

func (g *Grant) fields(c *codec) {
	c.fixed("conv", g.Conv[:])
	c.fixed("epoch_hash", g.Epoch[:])
	c.u32("from_n", &g.From)
	c.u32("to_n", &g.To)
	c.require(g.From <= g.To, "from_n is not above to_n")
	c.u16("to_leaf", &g.ToLeaf)
	c.u16("author", &g.Author)
	c.u64("seen_seq", &g.SeenSeq)
	c.fixed("seen_log", g.SeenLog[:])
	c.u64("time", &g.Time)
	if c.writing {
		g.head = len(c.in)
	}
	c.fixed("enc", g.Enc[:])
	c.variable("ct", 2, 32+wrapOverhead, 32*maxEpochs+wrapOverhead, &g.Ciphertext)
	c.signature(&g.Signature)
}

// info is what the secrets are bound to: everything that the grant says before
// them.
func (g *Grant) info() []byte {
	head := hashOf(g.bytes[:g.head])
	return append([]byte("asc1 grant"), head[:]...)
}

// epochs is how many secrets it holds.
func (g *Grant) epochs() int { return int(g.To) - int(g.From) + 1 }

// Wrap is a secret for one key object.
type Wrap struct {
	encoded
	Type       byte
	Leaf       uint16
	To         [32]byte // hash of the key object
	Enc        [KEMEncSize]byte
	Ciphertext []byte
}

func (*Wrap) kind() Kind { return KindWrap }

func (w *Wrap) fields(c *codec) {
	c.among("type", &w.Type, WrapEpoch, WrapKept)
	c.u16("leaf", &w.Leaf)
	c.fixed("to", w.To[:])
	c.fixed("enc", w.Enc[:])
	size := 32 + wrapOverhead
	if w.Type == WrapDepartment {
		size = 64 + wrapOverhead
	}
	c.variable("ct", 1, size, size, &w.Ciphertext)
}

// Receipt is the server's word that it took an entry.
type Receipt struct {
	encoded
	Conv      [32]byte
	Seq       uint64
	Log       [32]byte
	At        uint64
	Signature [64]byte
}

func (*Receipt) kind() Kind { return KindReceipt }

func (r *Receipt) fields(c *codec) {
	c.fixed("conv", r.Conv[:])
	c.u64("seq", &r.Seq)
	c.fixed("log", r.Log[:])
	c.u64("received_at", &r.At)
	c.signature(&r.Signature)
}

// Session proves to the server that a key is at hand.
type Session struct {
	encoded
	Org       [32]byte
	Challenge [32]byte
	Owner     [32]byte // hash of a certificate, or conv
	Time      uint64
	Signature [64]byte
}

func (*Session) kind() Kind { return KindSession }

func (s *Session) fields(c *codec) {
	c.fixed("org_id", s.Org[:])
	c.fixed("challenge", s.Challenge[:])
	c.fixed("owner", s.Owner[:])
	c.u64("time", &s.Time)
	c.signature(&s.Signature)
}
