# Draws the lines that `echo-client --load --report SECONDS --json` prints, as SVG:
#   gnuplot -c docs/plot.gnuplot soak.json >soak.svg
# plot.awk, which has to stand beside this file, makes columns of them.

set terminal svg size 900,720 font 'sans-serif,13' background 'white'
set xdata time
set timefmt '%Y-%m-%dT%H:%M:%SZ'
set format x '%H:%M:%S'
set xtics font ',10'
set lmargin 12
set rmargin 5
set grid
set key outside top right horizontal
columns = sprintf("awk -f '%s/plot.awk' '%s'", system(sprintf("dirname '%s'", ARG0)), ARG1)
rows = '< ' . columns
answered = system(columns . " | grep -vc ' - '") + 0 # intervals with times

set multiplot layout 3,1
set yrange [0:1]
if (answered > 0) {
    set yrange [0:*]
}
set ylabel 'messages/s'
plot rows using 1:2 with lines linewidth 2 title 'answered'
set autoscale y
set logscale y
set ylabel 'round trip, ms'
if (answered > 0) {
    plot rows using 1:($5) with lines title 'maximum', '' using 1:($4) with lines title '99 %', \
        '' using 1:($3) with lines linewidth 2 title 'median'
} else {
    set multiplot next
}
unset logscale y
set yrange [0:]
set ylabel 'connections'
set xlabel 'UTC'
plot rows using 1:6 with lines linewidth 2 title 'open', \
    '' using 1:7 with impulses linewidth 2 title 'lost, or not made'
unset multiplot
