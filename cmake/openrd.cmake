# openrd_library(base SOURCES a.cpp b.cpp DEPENDS openrd::wire PkgConfig::SODIUM)
#   the library of one folder of src/, as openrd::base
function(openrd_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;PRIVATE" ${ARGN})
  add_library(openrd_${name} STATIC ${ARG_SOURCES})
  add_library(openrd::${name} ALIAS openrd_${name})
  target_link_libraries(openrd_${name} PUBLIC openrd_flags ${ARG_DEPENDS} PRIVATE ${ARG_PRIVATE})
endfunction()

# openrd_test(base_test SOURCES a_test.cpp DEPENDS openrd::base)
#   a binary of GoogleTest cases; each case is one test of ctest
function(openrd_test name)
  if(NOT OPENRD_TESTS)
    return()
  endif()
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;LABELS" ${ARGN})
  find_package(GTest REQUIRED)
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE openrd_flags ${ARG_DEPENDS} GTest::gmock GTest::gtest_main)
  include(GoogleTest)
  # An empty value would be dropped on the way, and the next word taken for it.
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 120 WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
    PROPERTIES LABELS "${ARG_LABELS}" SKIP_REGULAR_EXPRESSION "\\[  SKIPPED \\]")
endfunction()

# openrd_embed(target NAME migrations FILES a.sql b.sql)
#   the files' bytes as a generated header-less table: embedded::migrations()
function(openrd_embed target)
  cmake_parse_arguments(ARG "" "NAME" "FILES" ${ARGN})
  set(out ${CMAKE_CURRENT_BINARY_DIR}/embedded_${ARG_NAME}.cpp)
  set(paths)
  foreach(file ${ARG_FILES})
    list(APPEND paths ${CMAKE_CURRENT_SOURCE_DIR}/${file})
  endforeach()
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  add_custom_command(OUTPUT ${out}
    COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/tools/embed.py ${ARG_NAME} ${out} ${paths}
    DEPENDS ${paths} ${PROJECT_SOURCE_DIR}/tools/embed.py VERBATIM)
  target_sources(${target} PRIVATE ${out})
endfunction()
