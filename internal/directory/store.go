package directory

import "context"

// Object is a public object of the organisation: a policy, certificate, key
// object or status, with what it is looked up by.
type Object struct {
	Hash   [32]byte // SHA-256 of Bytes
	Kind   byte     // of protocol/SPEC.md, section 3
	Owner  [32]byte // key object: its owner; certificate: its issuer; else zero
	Bytes  []byte
	Number uint64 // policy: its version; status: when it was issued; else 0
}

// Enrolment is a request of a device for its certificate.
type Enrolment struct {
	ID          [32]byte // SHA-256 of Request
	Invitation  [16]byte
	Request     []byte
	MAC         []byte
	At          int64    // milliseconds since 1970, when it came
	Certificate [32]byte // hash; zero while nobody has signed
}

// Store keeps the organisation's public objects. Every method is safe for
// concurrent use.
type Store interface {
	// PutObjects adds objects; those that are there stay as they are.
	PutObjects(ctx context.Context, objects ...Object) error
	// ObjectsByHash gives those that are there, in any order.
	ObjectsByHash(ctx context.Context, hashes [][32]byte) ([]Object, error)
	// ObjectsOfKind gives all of a kind, the highest Number first, at most limit.
	ObjectsOfKind(ctx context.Context, kind byte, limit int) ([]Object, error)
	// KeyObjects gives the key objects of an owner, the newest first.
	KeyObjects(ctx context.Context, owner [32]byte) ([]Object, error)

	// PutEnrolment keeps a request; ErrInvitationUsed when another request named
	// the same invitation. The same request again changes nothing.
	PutEnrolment(ctx context.Context, e Enrolment) error
	// Enrolments gives the requests that nobody has signed, oldest first, at most limit.
	Enrolments(ctx context.Context, limit int) ([]Enrolment, error)
	// DropEnrolments forgets the requests that nobody has signed and that came
	// before a moment, in milliseconds since 1970.
	DropEnrolments(ctx context.Context, before int64) error
	// EnrolmentByID gives one, or ErrNotFound.
	EnrolmentByID(ctx context.Context, id [32]byte) (Enrolment, error)
	// SignEnrolment writes the certificate's hash beside the request.
	SignEnrolment(ctx context.Context, id, certificate [32]byte) error

	// PutDepartmentKey keeps a wrap of the department's keys for a device.
	PutDepartmentKey(ctx context.Context, device, dept [32]byte, wrap []byte) error
	// DepartmentKeys gives hash of the department's certificate and wrap for a device.
	DepartmentKeys(ctx context.Context, device [32]byte) ([]DepartmentKey, error)
}

// DepartmentKey is a wrap of a department's keys for one device.
type DepartmentKey struct {
	Certificate [32]byte // hash of the department's certificate
	Wrap        []byte
}
