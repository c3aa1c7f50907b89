# Manual pages and completions of shells, which the program itself prints from its table of options (cli/table.h).
#
# A build for another kind of machine cannot run the program: it has them only where CMAKE_CROSSCOMPILING_EMULATOR can.
include(GNUInstallDirs)
if(FTL_SANITIZE OR FTL_COVERAGE)
  return() # of builds that nobody installs
endif()
if(CMAKE_CROSSCOMPILING AND NOT CMAKE_CROSSCOMPILING_EMULATOR)
  message(STATUS "manual pages and completions are not made: the program is built for another machine")
  return()
endif()

set(FTL_MANUALS ${PROJECT_BINARY_DIR}/manuals)
# The commands that have a page of their own; tests/python/test_man.py compares them with the program's.
set(FTL_COMMANDS predict inspect check classes generate serve stats health load unload verify help completion)
set(FTL_MANUAL_FILES "")

function(ftl_printed file)
  add_custom_command(OUTPUT ${FTL_MANUALS}/${file}
    COMMAND $<TARGET_FILE:foretell> ${ARGN} > ${file}.new
    COMMAND ${CMAKE_COMMAND} -E rename ${file}.new ${file}
    DEPENDS foretell $<TARGET_NAME_IF_EXISTS:foretell-server>
    WORKING_DIRECTORY ${FTL_MANUALS} VERBATIM)
  set(FTL_MANUAL_FILES ${FTL_MANUAL_FILES} ${FTL_MANUALS}/${file} PARENT_SCOPE)
endfunction()

file(MAKE_DIRECTORY ${FTL_MANUALS})
ftl_printed(foretell.1 help --man)
foreach(command IN LISTS FTL_COMMANDS)
  ftl_printed(foretell-${command}.1 help --man ${command})
endforeach()
foreach(shell bash zsh fish)
  ftl_printed(foretell.${shell} completion ${shell})
endforeach()
add_custom_target(ftl_manuals ALL DEPENDS ${FTL_MANUAL_FILES})

foreach(file IN LISTS FTL_MANUAL_FILES)
  if(file MATCHES "\\.1$")
    install(FILES ${file} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  endif()
endforeach()
if(FTL_SERVER) # which foretell serve becomes
  install(FILES ${FTL_MANUALS}/foretell-serve.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 RENAME foretell-server.1)
endif()
# As bash-completion, zsh and fish look for them. bash finds them by the name of the program.
set(FTL_BASH_COMPLETIONS ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${FTL_MANUALS}/foretell.bash DESTINATION ${FTL_BASH_COMPLETIONS} RENAME foretell)
install(FILES ${FTL_MANUALS}/foretell.bash DESTINATION ${FTL_BASH_COMPLETIONS} RENAME foretell-server)
install(FILES ${FTL_MANUALS}/foretell.zsh DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions RENAME _foretell)
foreach(name foretell foretell-server)
  install(FILES ${FTL_MANUALS}/foretell.fish
    DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d RENAME ${name}.fish)
endforeach()
