package gateway

import (
	"context"
	"net/http"
	"slices"

	"github.com/aldaba-chat/aldaba/internal/identity"
	"github.com/aldaba-chat/aldaba/internal/policy"
)

type stepBody struct {
	Body struct {
		Step string `json:"step" enum:"code,done" doc:"what comes next: a code, or nothing"`
	}
}

func nextStep(step identity.Step) *stepBody {
	b := new(stepBody)
	b.Body.Step = step.String()
	return b
}

type codeInput struct {
	Body struct {
		Code string `json:"code" maxLength:"64" doc:"six digits of the app, or a recovery code"`
	}
}

// signInOperations are the ways in and out, and what people do for themselves.
func (s *staff) signInOperations() {
	type signIn struct {
		Body struct {
			Login    string `json:"login" maxLength:"200"`
			Password string `json:"password" maxLength:"1024"`
		}
	}
	register(s, operation{method: http.MethodPost, path: "/api/session", action: policy.SignIn, summary: "Sign in: the password"},
		func(ctx context.Context, in *signIn) (*stepBody, error) {
			c := callerOf(ctx)
			step, token, err := s.Staff.SignIn(ctx, in.Body.Login, in.Body.Password, c.address)
			if err != nil {
				return nil, err
			}
			c.keep(token)
			return nextStep(step), nil
		})
	register(s, operation{method: http.MethodPost, path: "/api/session/code", action: policy.SignIn, summary: "Sign in: the code"},
		func(ctx context.Context, in *codeInput) (*stepBody, error) {
			c := callerOf(ctx)
			token, err := s.Staff.Code(ctx, c.token, in.Body.Code)
			if err != nil {
				return nil, err
			}
			c.keep(token)
			return nextStep(identity.StepDone), nil
		})
	register(s, operation{method: http.MethodDelete, path: "/api/session", action: policy.SignOut, summary: "Sign out"},
		func(ctx context.Context, _ *struct{}) (*struct{}, error) {
			c := callerOf(ctx)
			c.keep("")
			return nil, s.Staff.SignOut(ctx, c.token)
		})
	s.selfOperations()
	s.joinOperations()
}

// departmentOf is a department as pages show it.
type departmentOf struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Mode string `json:"mode" enum:"sealed,assisted"`
}

type self struct {
	ID           string         `json:"id"`
	Login        string         `json:"login"`
	Name         string         `json:"name"`
	Title        string         `json:"title"`
	Role         string         `json:"role" enum:"agent,supervisor,administrator"`
	Departments  []departmentOf `json:"departments"`
	RecoveryLeft int            `json:"recoveryLeft" doc:"recovery codes that are left"`
	Cap          int            `json:"cap" doc:"conversations at once"`
	Presence     presenceBody   `json:"presence" doc:"as the person has chosen it"`
	Demo         bool           `json:"demo"`
}

func (s *staff) selfOperations() {
	type answer struct{ Body self }
	register(s, operation{method: http.MethodGet, path: "/api/me", action: policy.SeeSelf, summary: "Who is signed in"},
		func(ctx context.Context, _ *struct{}) (*answer, error) {
			who, err := s.Staff.Who(ctx, callerOf(ctx).token)
			if err != nil {
				return nil, err
			}
			left, err := s.Staff.RecoveryLeft(ctx, who.ID)
			if err != nil {
				return nil, err
			}
			return &answer{self{
				ID: who.ID.String(), Login: who.Login, Name: who.Name, Title: who.Title, Role: who.Role.String(),
				Departments: s.departmentsOf(who), RecoveryLeft: left, Cap: s.capOf(who.Cap, who.Departments), Presence: showPresence(s.Presence.Choice(who.ID)), Demo: s.Hosts.Demo,
			}}, nil
		})
	type change struct {
		Body struct {
			Old string `json:"old" maxLength:"1024"`
			New string `json:"new" maxLength:"1024"`
		}
	}
	register(s, operation{method: http.MethodPost, path: "/api/me/password", action: policy.ChangeSelf, summary: "Change one's password; other sessions end"},
		func(ctx context.Context, in *change) (*struct{}, error) {
			c := callerOf(ctx)
			token, err := s.Staff.ChangePassword(ctx, c.token, in.Body.Old, in.Body.New)
			if err != nil {
				return nil, err
			}
			c.keep(token)
			return nil, nil
		})
	type codes struct {
		Body struct {
			Codes []string `json:"codes" doc:"shown this once"`
		}
	}
	register(s, operation{method: http.MethodPost, path: "/api/me/recovery", action: policy.ChangeSelf, summary: "New recovery codes; the old ones end"},
		func(ctx context.Context, in *codeInput) (*codes, error) {
			fresh, err := s.Staff.NewRecoveryCodes(ctx, callerOf(ctx).token, in.Body.Code)
			if err != nil {
				return nil, err
			}
			b := new(codes)
			b.Body.Codes = fresh
			return b, nil
		})
}

// departmentsOf are those of the organisation's policy that a person has.
func (s *staff) departmentsOf(who identity.Account) []departmentOf {
	list := []departmentOf{}
	for _, d := range s.Directory.Departments() {
		if slices.Contains(who.Departments, d.ID) {
			list = append(list, showDepartment(d))
		}
	}
	return list
}

// joinOperations are the steps behind a one-time link. Its token stands behind
// the # of the address, which browsers send to nobody.
func (s *staff) joinOperations() {
	type joining struct {
		Body struct {
			Token string `json:"token" maxLength:"64"`
		}
	}
	type invited struct {
		Body struct {
			Login        string `json:"login"`
			Name         string `json:"name"`
			Organisation string `json:"organisation"`
		}
	}
	register(s, operation{method: http.MethodPost, path: "/api/join", action: policy.Join, summary: "Whose link this is"},
		func(ctx context.Context, in *joining) (*invited, error) {
			who, organisation, err := s.Staff.Join(ctx, in.Body.Token)
			if err != nil {
				return nil, err
			}
			b := new(invited)
			b.Body.Login, b.Body.Name, b.Body.Organisation = who.Login, who.Name, organisation
			return b, nil
		})
	type choice struct {
		Body struct {
			Token    string `json:"token" maxLength:"64"`
			Password string `json:"password" maxLength:"1024"`
		}
	}
	type setup struct {
		Body struct {
			Secret string `json:"secret" doc:"for the authenticator app, in base 32"`
			URI    string `json:"uri" doc:"the same for a picture, otpauth://"`
		}
	}
	register(s, operation{method: http.MethodPost, path: "/api/join/password", action: policy.Join, summary: "Join: choose a password"},
		func(ctx context.Context, in *choice) (*setup, error) {
			app, err := s.Staff.JoinPassword(ctx, in.Body.Token, in.Body.Password)
			if err != nil {
				return nil, err
			}
			b := new(setup)
			b.Body.Secret, b.Body.URI = app.Secret, app.URI
			return b, nil
		})
	type proof struct {
		Body struct {
			Token string `json:"token" maxLength:"64"`
			Code  string `json:"code" maxLength:"64" doc:"six digits of the app"`
		}
	}
	type joined struct {
		Body struct {
			Recovery []string `json:"recovery" doc:"recovery codes, shown this once"`
		}
	}
	register(s, operation{method: http.MethodPost, path: "/api/join/code", action: policy.Join, summary: "Join: prove the app; this signs in"},
		func(ctx context.Context, in *proof) (*joined, error) {
			c := callerOf(ctx)
			recovery, token, err := s.Staff.JoinCode(ctx, in.Body.Token, in.Body.Code, c.address)
			if err != nil {
				return nil, err
			}
			c.keep(token)
			b := new(joined)
			b.Body.Recovery = recovery
			return b, nil
		})
}
