use super::*;

/// Pattern, path, and whether the pattern itself matches that path.
#[test]
fn matches_what_docker_matches() {
    let rows = [
        // `**` alone, at the start, in the middle, at the end.
        ("**", "file", true),
        ("**", "a/b/c", true),
        ("**/**", "file", true),
        ("**/**", "a/b", true),
        ("dir/**", "dir", false),
        ("dir/**", "dir/", true),
        ("dir/**", "dir/a", true),
        ("dir/**", "dir/a/b", true),
        ("dir/**", "dirs/a", false),
        ("a.b/**", "a.b/c", true),
        ("a.b/**", "axb/c", false),
        ("**/dir", "dir", true),
        ("**/dir", "a/dir", true),
        ("**/dir", "a/b/dir", true),
        ("**/dir", "adir", false),
        ("**/dir", "dir/a", false),
        ("**dir", "adir", true),
        ("**dir", "a/dir", true),
        ("**/.foo", ".foo", true),
        ("**/.foo", "a/.foo", true),
        ("**/.foo", "bar.foo", false),
        ("**/.foo", "foo", false),
        ("**/dir/file", "dir/file", true),
        ("**/dir/file", "a/b/dir/file", true),
        ("**/dir/*.txt", "dir/a.txt", true),
        ("**/dir/*.txt", "a/b/dir/a.txt", true),
        ("**/dir/*.txt", "dir/a/a.txt", false),
        ("**/*.txt", "a.txt", true),
        ("**/*.txt", "a/b.txt", true),
        ("**/*.txt", "a/b.txtx", false),
        ("a**/*.txt", "a/file.txt", true),
        ("a**/*.txt", "a/b/file.txt", true),
        ("a**/*.txt", "afile.txt", true),
        ("a/*.txt", "a/file.txt", true),
        ("a/*.txt", "a/b/file.txt", false),
        ("a/*/file", "a/b/file", true),
        ("a/*/file", "a/b/c/file", false),
        ("a/**/file", "a/file", true),
        ("a/**/file", "a/b/c/file", true),
        ("a/**/file", "afile", false),
        ("a/**/b/**", "a/x/b/y", true),
        ("a/**/b/**", "a/b", false),
        ("a/b/**/*", "a/b/c", true),
        ("a/b/**/*", "a/b", false),
        ("*/**", "a", false),
        ("*/**", "a/b", true),
        // Other characters are not special.
        ("a.b", "a.b", true),
        ("a.b", "axb", false),
        ("a+b(c)|{d}$", "a+b(c)|{d}$", true),
        ("^a", "^a", true),
        ("*.(a)", "x.(a)", true),
        ("a]b*", "a]bc", true),
        // Wildcards and classes.
        ("abc", "abc", true),
        ("*", "abc", true),
        ("*", "a/b", false),
        ("*c", "abc", true),
        ("a*", "a", true),
        ("a*", "abc", true),
        ("a*", "ab/c", false),
        ("a*/b", "abc/b", true),
        ("a*/b", "a/c/b", false),
        ("a*b*c*d*e*/f", "axbxcxdxe/f", true),
        ("a*b*c*d*e*/f", "axbxcxdxexxx/f", true),
        ("a*b*c*d*e*/f", "axbxcxdxe/xxx/f", false),
        ("a*b*c*d*e*/f", "axbxcxdxexxx/fff", false),
        ("a*b?c*x", "abxbbxdbxebxczzx", true),
        ("a*b?c*x", "abxbbxdbxebxczzy", false),
        ("*x", "xxx", true),
        ("a?b", "axb", true),
        ("a?b", "a☺b", true),
        ("a?b", "a/b", false),
        ("a???b", "a☺b", false),
        ("ab[c]", "abc", true),
        ("ab[b-d]", "abc", true),
        ("ab[e-g]", "abc", false),
        ("ab[^c]", "abc", false),
        ("ab[^b-d]", "abc", false),
        ("ab[^e-g]", "abc", true),
        // `!` negates nothing.
        ("a[!a]b", "a!b", true),
        ("a[!a]b", "axb", false),
        ("a[^a]b", "a☺b", true),
        ("a[^x]b", "a/b", true),
        ("[a-ζ]*", "α", true),
        ("*[a-ζ]", "A", false),
        ("a\\*b", "a*b", true),
        ("a\\*b", "ab", false),
        ("a\\\\b", "a\\b", true),
        ("[\\]a]", "]", true),
        ("[\\-]", "-", true),
        ("[x\\-]", "x", true),
        ("[x\\-]", "-", true),
        ("[x\\-]", "z", false),
        ("[\\-x]", "-", true),
        ("[\\-x]", "a", false),
        ("ABC", "abc", false),
    ];
    for (pattern, path, expected) in rows {
        let parsed = Pattern::parse(pattern).unwrap();
        assert_eq!(parsed.matches(path), expected, "`{pattern}` on `{path}`");
    }
}

#[test]
fn refuses_what_docker_refuses() {
    for pattern in [
        "[", "[^", "[^bc", "a[", "a/b[", "[]a]", "[-]", "[x-]", "[-x]", "[a-b-c]", "[z-a]", "[\\", "a\\",
        "*[",
    ] {
        assert!(Pattern::parse(pattern).is_err(), "{pattern}");
    }
}

#[test]
fn long_runs_of_stars_are_not_slow() {
    let pattern = Pattern::parse(&"*a".repeat(40)).unwrap();
    assert!(!pattern.matches(&"a".repeat(39)));
    assert!(pattern.matches(&"a".repeat(4000)));
}

#[test]
fn may_match_below_a_folder() {
    for (pattern, folder, expected) in [
        ("dir/file", "dir", true),
        ("dir/file", "other", false),
        ("dir/sub/file", "dir", true),
        ("dir/sub/file", "dir/sub", true),
        ("dir/sub/file", "dir/other", false),
        ("dir/*.py", "dir", true),
        ("dir/*.py", "dirs", false),
        ("dir*/x", "dirs", true),
        ("**/x", "any/where", true),
        ("a/**/x", "a/b/c", true),
        ("a/**/x", "b", false),
        ("dir", "dir", false),
    ] {
        let parsed = Pattern::parse(pattern).unwrap();
        assert_eq!(
            parsed.may_match_below(folder),
            expected,
            "`{pattern}` below `{folder}`"
        );
    }
}
