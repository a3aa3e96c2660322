# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The program as it is installed: a release build that needs no Swift on the machine. Source after common.sh.

RELEASE_SCRATCH=$TOOLS_ROOT/release

# build_release: builds it and sets RELEASE_BINARY. Swift's runtime and Foundation are linked in; what is left to load are Debian's libraries.
build_release() {
  require_swift
  say "building bergfs (release, Swift linked in)"
  (cd "$PROJECT_ROOT" && swift build -c release --static-swift-stdlib -Xswiftc -gnone --product bergfs --scratch-path "$RELEASE_SCRATCH") ||
    die "the release build failed"
  # shellcheck disable=SC2034 # used by those who source this
  RELEASE_BINARY=$RELEASE_SCRATCH/release/bergfs
}

# link_tested DIRECTORY FILE: links the objects of a debug build, which the tests ran with, as the release build is linked: seconds instead of minutes.
link_tested() {
  local libraries=(-lfuse3 -lcurl -lcrypto -lexpat -lz -lsnappy -lzstd)
  local swift=(Foundation FoundationInternationalization FoundationEssentials CoreFoundation _FoundationICU _FoundationCollections
    _FoundationCShims swiftSynchronization)
  # What SwiftPM calls the entry of a program that tests can link against.
  (cd "$1" && swiftc -static-stdlib -emit-executable -o "$2" @bergfs.product/Objects.LinkFileList "${libraries[@]}" \
    -Xlinker --defsym=main=bergfs_main -Xlinker --start-group "${swift[@]/#/-l}" -Xlinker --end-group)
}
