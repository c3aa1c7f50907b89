include(GNUInstallDirs)
install(FILES include/foretell/foretell.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/foretell)
