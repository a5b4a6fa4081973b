package site

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/aldaba-chat/aldaba/internal/chat"
)

// What a site may have at most, and what there is to choose from.
const (
	mostSites       = 200
	mostOrigins     = 16
	longestOrigin   = 255
	mostDepartments = 16
	mostFields      = 8
	longestText     = 80 // characters of a name, a label, a choice
	mostChoices     = 20
	longestContact  = 200
	longestHref     = 500

	// DefaultCap is a department's cap until one is set, MostCap the highest.
	DefaultCap = 5
	MostCap    = 50
)

// Languages and Kinds are what a site and a field may choose from.
var (
	Languages = []string{"es", "en"}
	Kinds     = []string{"text", "mail", "phone", "choice"}
)

var (
	siteID    = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)
	fieldName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)
	hostName  = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
)

func tooMany(field string, limit int, message string) error {
	return &chat.Error{Kind: chat.KindInvalid, Field: field, Limit: int64(limit), Message: message}
}

// check says what is wrong with the first part of a site that cannot work. chat
// is the chat's own origin; departments are those that the policy has.
func (s *Site) check(ownOrigin string, departments [][16]byte) error {
	if !siteID.MatchString(s.ID) {
		return tooMany("id", 32, "the id of a site has 1 to 32 lower-case letters, digits and hyphens, and begins with a letter")
	}
	if err := checkText("name", s.Name, longestText); err != nil {
		return err
	}
	if err := s.checkOrigins(ownOrigin); err != nil {
		return err
	}
	if len(s.Languages) == 0 {
		return tooMany("languages", 1, "a site speaks at least one language: "+strings.Join(Languages, ", "))
	}
	for i, l := range s.Languages {
		field := fmt.Sprintf("languages[%d]", i)
		if !slices.Contains(Languages, l) {
			return chat.Invalid(field, "there is no such language: the languages are "+strings.Join(Languages, ", "))
		}
		if slices.Contains(s.Languages[:i], l) {
			return chat.Invalid(field, "this language stands twice")
		}
	}
	if n := len(s.Departments); n == 0 || n > mostDepartments {
		return tooMany("departments", mostDepartments, fmt.Sprintf("a site reaches 1 to %d departments", mostDepartments))
	}
	for i, d := range s.Departments {
		field := fmt.Sprintf("departments[%d]", i)
		if !slices.Contains(departments, d) {
			return chat.Invalid(field, "the organisation's policy has no such department")
		}
		if slices.Contains(s.Departments[:i], d) {
			return chat.Invalid(field, "this department stands twice")
		}
	}
	if len(s.Fields) > mostFields {
		return tooMany("fields", mostFields, fmt.Sprintf("a form has at most %d fields", mostFields))
	}
	for i := range s.Fields {
		if err := s.checkField(i); err != nil {
			return err
		}
	}
	return s.Contact.check()
}

func (s *Site) checkOrigins(ownOrigin string) error {
	if len(s.Origins) > mostOrigins {
		return tooMany("origins", mostOrigins, fmt.Sprintf("a site has at most %d origins", mostOrigins))
	}
	for i, o := range s.Origins {
		field := fmt.Sprintf("origins[%d]", i)
		if err := checkOrigin(field, o); err != nil {
			return err
		}
		// A frame that shares its parent's origin can take its own sandbox off.
		if o == ownOrigin {
			return chat.Invalid(field, "this is the chat's own origin: a page of another origin shows the chat")
		}
		if slices.Contains(s.Origins[:i], o) {
			return chat.Invalid(field, "this origin stands twice")
		}
	}
	return nil
}

// checkOrigin accepts an origin as browsers write it, and nothing that stands
// for several.
func checkOrigin(field, origin string) error {
	if len(origin) > longestOrigin {
		return tooMany(field, longestOrigin, fmt.Sprintf("an origin has at most %d bytes", longestOrigin))
	}
	wrong := chat.Invalid(field, "an origin is https:// and a host in lower case, with a port unless it is 443, and nothing behind: as in https://www.example.com")
	u, err := url.Parse(origin)
	if err != nil {
		return wrong.Because(err)
	}
	host, port := u.Hostname(), u.Port()
	if origin != u.Scheme+"://"+u.Host || host == "" || strings.HasSuffix(u.Host, ":") {
		return wrong
	}
	if ip := net.ParseIP(host); ip != nil {
		if ip.String() != host { // one way to write each
			return wrong
		}
	} else if len(host) > 253 || !hostName.MatchString(host) {
		return wrong
	}
	if port != "" && (port[0] == '0' || !validPort(port)) {
		return wrong
	}
	switch u.Scheme {
	case "https":
		if port == "443" {
			return wrong
		}
	case "http":
		if port == "80" {
			return wrong
		}
		if !loopback(host) {
			return chat.Invalid(field, "http is for this machine's own names only (localhost, names under .localhost, 127.0.0.1, [::1]): use https")
		}
	default:
		return wrong
	}
	return nil
}

func validPort(port string) bool {
	n := 0
	for _, c := range []byte(port) {
		if c < '0' || c > '9' {
			return false
		}
		if n = n*10 + int(c-'0'); n > 65535 {
			return false
		}
	}
	return n > 0
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}

func (s *Site) checkField(i int) error {
	f := &s.Fields[i]
	at := func(part string) string { return fmt.Sprintf("fields[%d].%s", i, part) }
	if !fieldName.MatchString(f.Name) {
		return tooMany(at("name"), 32, "the name of a field has 1 to 32 lower-case letters, digits and underscores, and begins with a letter")
	}
	if slices.ContainsFunc(s.Fields[:i], func(other Field) bool { return other.Name == f.Name }) {
		return chat.Invalid(at("name"), "another field has this name")
	}
	if !slices.Contains(Kinds, f.Kind) {
		return chat.Invalid(at("kind"), "a field is of one of the kinds "+strings.Join(Kinds, ", "))
	}
	for l := range f.Label {
		if !slices.Contains(s.Languages, l) {
			return chat.Invalid(at("label"), "a label is in a language that the site does not speak")
		}
	}
	for _, l := range s.Languages {
		if err := checkText(at("label."+l), f.Label[l], longestText); err != nil {
			return err
		}
	}
	if f.Kind != "choice" {
		if len(f.Choices) > 0 {
			return chat.Invalid(at("choices"), "only a field of the kind choice has choices")
		}
		return nil
	}
	if n := len(f.Choices); n < 2 || n > mostChoices {
		return tooMany(at("choices"), mostChoices, fmt.Sprintf("a choice is among 2 to %d", mostChoices))
	}
	for j, choice := range f.Choices {
		field := at(fmt.Sprintf("choices[%d]", j))
		if err := checkText(field, choice, longestText); err != nil {
			return err
		}
		if slices.Contains(f.Choices[:j], choice) {
			return chat.Invalid(field, "this choice stands twice")
		}
	}
	return nil
}

func (c Contact) check() error {
	if c.Text != "" {
		if err := checkText("contact.text", c.Text, longestContact); err != nil {
			return err
		}
	}
	if c.Href == "" {
		return nil
	}
	if len(c.Href) > longestHref {
		return tooMany("contact.href", longestHref, fmt.Sprintf("an address has at most %d bytes", longestHref))
	}
	wrong := chat.Invalid("contact.href", "an address begins with https://, mailto: or tel:")
	u, err := url.Parse(c.Href)
	if err != nil {
		return wrong.Because(err)
	}
	switch u.Scheme {
	case "https":
		if u.Host == "" || u.User != nil {
			return wrong
		}
	case "mailto", "tel":
		if u.Opaque == "" {
			return wrong
		}
	default:
		return wrong
	}
	if strings.ContainsFunc(c.Href, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return chat.Invalid("contact.href", "an address has no spaces and no letters beyond ASCII: write those as %20 and the like")
	}
	return nil
}

// checkText accepts one line that a person can read.
func checkText(field, text string, most int) error {
	switch n := utf8.RuneCountInString(text); {
	case !utf8.ValidString(text):
		return chat.Invalid(field, "this is not UTF-8")
	case strings.TrimSpace(text) == "":
		return tooMany(field, most, "a text is missing here")
	case n > most:
		return tooMany(field, most, fmt.Sprintf("this has at most %d characters", most))
	case strings.TrimSpace(text) != text:
		return chat.Invalid(field, "there are spaces before or behind the text")
	}
	// Line ends, and marks that turn the direction of what follows.
	if strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.C, r) || r == '\u2028' || r == '\u2029' }) {
		return chat.Invalid(field, "this has characters that cannot be seen: write one line of text")
	}
	return nil
}
