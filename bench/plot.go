package bench

import (
	"fmt"
	"html"
	"math"
	"strconv"
	"strings"
)

// Plot draws a sweep as SVG: inputs a second and CPU time an input over a logarithmic axis.
func Plot(over Dimension, points []Point, caption string) string {
	const width, height, left, right, top, bottom = 640, 340, 70, 70, 40, 60
	rate := func(p Point) float64 { return p.Report.InputsPerS }
	cpu := func(p Point) float64 { return p.Report.CPUPerInput }
	lo, hi := math.Log2(float64(points[0].Value)), math.Log2(float64(points[len(points)-1].Value))
	x := func(p Point) float64 {
		if hi == lo {
			return left
		}
		return left + (math.Log2(float64(p.Value))-lo)/(hi-lo)*(width-left-right)
	}
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	text := func(x, y float64, anchor, class, s string) {
		line(`<text x="%.0f" y="%.0f" text-anchor="%s" class="%s">%s</text>`, x, y, anchor, class, html.EscapeString(s))
	}
	line(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`, width, height)
	line(`<style>text{fill:#444}.rate{fill:#0b6e4f}.cpu{fill:#b3541e}</style><rect width="%d" height="%d" fill="#fff"/>`, width, height)
	text(width/2, 20, "middle", "title", "fanout over "+string(over)+": "+caption)
	for _, axis := range []struct {
		class, colour, name, anchor string
		at                          float64
		of                          func(Point) float64
	}{
		{"rate", "#0b6e4f", "inputs/s", "end", left - 8, rate},
		{"cpu", "#b3541e", "CPU µs/input", "start", width - right + 8, cpu},
	} {
		most := 0.0
		for _, p := range points {
			most = max(most, axis.of(p))
		}
		most = ceiling(most)
		y := func(v float64) float64 { return height - bottom - v/most*(height-top-bottom) }
		for i := range 5 {
			v := most * float64(i) / 4
			text(axis.at, y(v)+4, axis.anchor, axis.class, strconv.FormatFloat(v, 'f', 0, 64))
			if axis.class == "rate" {
				line(`<path d="M%d %.0fH%d" stroke="#ddd"/>`, left, y(v), width-right)
			}
		}
		text(axis.at, top-8, axis.anchor, axis.class, axis.name)
		path := ""
		for i, p := range points {
			path += fmt.Sprintf("%s%.1f %.1f", map[bool]string{true: "M", false: "L"}[i == 0], x(p), y(axis.of(p)))
			line(`<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`, x(p), y(axis.of(p)), axis.colour)
		}
		line(`<path d="%s" fill="none" stroke="%s" stroke-width="2"/>`, path, axis.colour)
	}
	for _, p := range points {
		text(x(p), height-bottom+18, "middle", "tick", strconv.Itoa(p.Value))
	}
	text(width/2, height-bottom+40, "middle", "name", string(over))
	line(`</svg>`)
	return b.String()
}

// ceiling is a round number not below v, for the end of an axis.
func ceiling(v float64) float64 {
	if v <= 0 {
		return 1
	}
	unit := math.Pow10(int(math.Floor(math.Log10(v))))
	for _, f := range []float64{1, 2, 4, 5, 8, 10} {
		if f*unit >= v {
			return f * unit
		}
	}
	return 10 * unit
}
