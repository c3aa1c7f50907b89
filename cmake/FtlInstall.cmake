# Headers, both libraries, the program, foretell.pc and the CMake package `foretell`.
#
# A consumer of the static library must link the codec libraries too: foretell.pc names them in Libs.private,
# the CMake package as the target foretell::codecs, which its config file makes on the consumer's machine.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(FILES include/foretell/foretell.h include/foretell/jobs.h include/foretell/arrow.h include/foretell/cache.h include/foretell/codegen.h
        include/foretell/rows.h include/foretell/experimental.h
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/foretell)
install(TARGETS foretell_shared foretell_static EXPORT foretellTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
if(FTL_BUILD_CLI)
  install(TARGETS foretell RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

if(FTL_SERVER)
  install(TARGETS foretell-server RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  install(DIRECTORY ${FTL_THIRD_PARTY}/web/ DESTINATION ${CMAKE_INSTALL_DATADIR}/foretell/web) # see server/web_root.c
  install(FILES server/THIRD-PARTY.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
  install(DIRECTORY ${FTL_THIRD_PARTY}/notices/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/third-party)
endif()

set(FTL_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/foretell)
install(EXPORT foretellTargets NAMESPACE foretell:: DESTINATION ${FTL_CMAKE_DIR})
configure_package_config_file(cmake/foretellConfig.cmake.in ${PROJECT_BINARY_DIR}/foretellConfig.cmake
  INSTALL_DESTINATION ${FTL_CMAKE_DIR} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/foretellConfigVersion.cmake
  COMPATIBILITY SameMinorVersion) # until 1.0; then SameMajorVersion
install(FILES ${PROJECT_BINARY_DIR}/foretellConfig.cmake ${PROJECT_BINARY_DIR}/foretellConfigVersion.cmake
  DESTINATION ${FTL_CMAKE_DIR})

# The .pc file finds its prefix from where it lies, so that an installed tree may be moved.
file(RELATIVE_PATH FTL_PC_TO_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(cmake/foretell.pc.in ${PROJECT_BINARY_DIR}/foretell.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/foretell.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES LICENSE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
