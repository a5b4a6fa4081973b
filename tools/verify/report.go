package main

import (
	"fmt"
	"time"
)

// row is one part's line in the table at the end.
type row struct {
	part           string
	took           time.Duration
	passed, failed int
}

type report struct{ rows []row }

func (r *report) add(part string, took time.Duration, results []result) {
	line := row{part: part, took: took}
	for _, res := range results {
		line.passed += res.passed
		line.failed += res.failed
	}
	r.rows = append(r.rows, line)
}

// print shows what each part took and its share, and says whether all is well.
func (r *report) print() bool {
	var total row
	for _, line := range r.rows {
		total.took += line.took
		total.passed += line.passed
		total.failed += line.failed
	}
	fmt.Printf("\n%-28s %9s %6s %7s %7s\n", "part", "time", "share", "passed", "failed")
	for _, line := range r.rows {
		share := 100 * line.took.Seconds() / max(total.took.Seconds(), 0.001)
		fmt.Printf("%-28s %8.1fs %5.0f%% %7d %7d\n", line.part, line.took.Seconds(), share, line.passed, line.failed)
	}
	fmt.Printf("%-28s %8.1fs\n\n%d passed, %d failed\n", "all", total.took.Seconds(), total.passed, total.failed)
	return total.failed == 0
}
