# One place for what every translation unit is compiled with.
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(openrd_flags INTERFACE)
target_compile_options(openrd_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror
  -Wno-missing-field-initializers  # a designated initializer leaves the rest at their defaults on purpose
  # GCC 12 sees overlaps and dangling pointers in inlined std::string code that are not there (GCC bugs 105329, 105651).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
target_include_directories(openrd_flags INTERFACE ${PROJECT_SOURCE_DIR}/src)

if(OPENRD_SANITIZE)
  target_compile_options(openrd_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(openrd_flags INTERFACE -fsanitize=address,undefined)
endif()
if(OPENRD_TSAN)
  target_compile_options(openrd_flags INTERFACE -fsanitize=thread)
  target_link_options(openrd_flags INTERFACE -fsanitize=thread)
endif()
if(OPENRD_COVERAGE)
  target_compile_options(openrd_flags INTERFACE --coverage)
  target_link_options(openrd_flags INTERFACE --coverage)
endif()
if(OPENRD_FUZZ)
  target_compile_options(openrd_flags INTERFACE -fsanitize=fuzzer-no-link -O1)  # a fuzzer finds by running often
endif()

# -g1: line tables are what a sanitizer report needs, and half the size and link time of -g.
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_options(openrd_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection)
  target_compile_definitions(openrd_flags INTERFACE _GLIBCXX_ASSERTIONS)
  target_link_options(openrd_flags INTERFACE -Wl,-z,relro,-z,now)
  set(CMAKE_POSITION_INDEPENDENT_CODE ON)
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    set(CMAKE_CXX_LINK_OPTIONS_IPO -flto=auto)  # on every core; plain -flto links on one
  endif()
endif()

if(CMAKE_EXECUTABLE_FORMAT STREQUAL "ELF")
  find_program(LLD NAMES ld.lld ld.lld-16)
  # GCC's link-time optimisation needs GNU ld; everything else links faster with lld.
  if(LLD AND NOT CMAKE_INTERPROCEDURAL_OPTIMIZATION AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    get_filename_component(LLD_DIR ${LLD} DIRECTORY)
    if(LLD MATCHES "ld.lld$")
      target_link_options(openrd_flags INTERFACE -fuse-ld=lld)
    endif()
  endif()
endif()
