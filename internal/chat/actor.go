package chat

import (
	"fmt"
	"slices"
	"strings"
)

// Role says as what somebody acts. The zero value is no role.
type Role uint8

// The roles of today.
const (
	RoleVisitor Role = iota + 1
	RoleAgent
	RoleSupervisor
	RoleAdministrator
	RoleSystem
)

var roleNames = []string{"visitor", "agent", "supervisor", "administrator", "system"}

// ParseRole accepts the names that String gives and nothing else; the error is
// an [*Error] of KindInvalid.
func ParseRole(name string) (Role, error) {
	i := slices.Index(roleNames, name)
	if i < 0 {
		return 0, Invalid("role", "there is no such role: the roles are "+strings.Join(roleNames, ", "))
	}
	return Role(i + 1), nil //nolint:gosec // there are few names
}

// Valid reports whether r is one of the roles above.
func (r Role) Valid() bool { return r >= RoleVisitor && r <= RoleSystem }

// String is the role's name.
func (r Role) String() string {
	if !r.Valid() {
		return fmt.Sprintf("no role (%d)", uint8(r))
	}
	return roleNames[r-1]
}

// MarshalText gives what String gives, and refuses what is no role.
func (r Role) MarshalText() ([]byte, error) {
	if !r.Valid() {
		return nil, Invalid("role", "a role is missing here")
	}
	return []byte(r.String()), nil
}

// UnmarshalText is [ParseRole]; r stays as it was when there is an error.
func (r *Role) UnmarshalText(text []byte) error {
	read, err := ParseRole(string(text))
	if err != nil {
		return err
	}
	*r = read
	return nil
}

// Actor is who does something. Staff have an id; a visitor is known by the
// conversation alone, and the system is the server itself.
type Actor struct {
	Role  Role
	Staff StaffID
}

// Validate refuses a role that does not exist, staff without an id and an id
// without staff.
func (a Actor) Validate() error {
	switch a.Role {
	case RoleVisitor, RoleSystem:
		if !a.Staff.IsZero() {
			return Invalid("actor", "only staff have an id of staff")
		}
	case RoleAgent, RoleSupervisor, RoleAdministrator:
		if a.Staff.IsZero() {
			return Invalid("actor", "staff need an id")
		}
	default:
		return Invalid("actor", "an actor needs a role: "+strings.Join(roleNames, ", "))
	}
	return nil
}
