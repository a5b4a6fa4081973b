package directory

import (
	"maps"

	"github.com/aldaba-chat/aldaba/internal/seal"
	"github.com/aldaba-chat/aldaba/internal/wire"
)

// Department is one of the organisation's departments.
type Department struct {
	ID   [16]byte
	Name string // of its certificate; its id while it has none that holds
	Mode byte   // [seal.Sealed] or [seal.Assisted]
}

// Departments gives those of the policy, in its order.
func (d *Directory) Departments() []Department {
	trust := d.Trust()
	if trust == nil {
		return nil
	}
	policy, now := trust.Policy(), milliseconds(d.now())
	var all []Department
	for _, p := range policy.Departments {
		one := Department{ID: p.ID, Name: wire.Text(p.ID[:]), Mode: p.Mode}
		if named := d.named.Load(); named != nil {
			if x := (*named)[p.ID]; x != nil {
				if judged, err := trust.Judge(x.Hash(), policy, now); err == nil {
					one.Name = judged.Name
				}
			}
		}
		all = append(all, one)
	}
	return all
}

// name remembers a department's certificate of the highest generation, for its name.
func (d *Directory) name(x *seal.Certificate) {
	named := map[[16]byte]*seal.Certificate{}
	if before := d.named.Load(); before != nil {
		named = maps.Clone(*before)
	}
	if known := named[x.Dept]; known == nil || x.Generation > known.Generation ||
		x.Generation == known.Generation && x.NotAfter > known.NotAfter {
		named[x.Dept] = x
		d.named.Store(&named)
	}
}
