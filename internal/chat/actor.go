package chat

// Role says as what somebody acts.
type Role string

// The roles of today.
const (
	RoleVisitor       Role = "visitor"
	RoleAgent         Role = "agent"
	RoleSupervisor    Role = "supervisor"
	RoleAdministrator Role = "administrator"
	RoleSystem        Role = "system"
)

// Actor is who does something. Staff have an id; a visitor is known by the
// conversation alone, and the system is the server itself.
type Actor struct {
	Role  Role
	Staff ID[Staff]
}

// Validate refuses a role that does not exist, staff without an id and an id
// without staff.
func (a Actor) Validate() error {
	switch a.Role {
	case RoleVisitor, RoleSystem:
		if !a.Staff.IsZero() {
			return Invalid("actor", "only staff have an id")
		}
	case RoleAgent, RoleSupervisor, RoleAdministrator:
		if a.Staff.IsZero() {
			return Invalid("actor", "staff need an id")
		}
	default:
		return Invalid("actor", "there is no such role")
	}
	return nil
}
