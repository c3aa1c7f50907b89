/*
 * foretell completion: what makes bash, zsh and fish ask this program for words (complete.c).
 * foretell-server takes the words of foretell serve.
 */
#include "cli.h"

#include <string.h>

static const char bash[] =
    "# bash completion for foretell and foretell-server\n"
    "_foretell() {\n"
    "    local i n=0 word program words=() cur line offered=() files=\n"
    "    # bash may take --name=value apart at the =\n"
    "    for ((i = 1; i <= COMP_CWORD; i++)); do\n"
    "        word=${COMP_WORDS[i]}\n"
    "        if [[ $n -gt 0 && ${words[n - 1]} == --* &&\n"
    "            ($word == = || (${words[n - 1]} == *= && ${COMP_WORDS[i - 1]} == =)) ]]; then\n"
    "            words[n - 1]+=$word\n"
    "        else\n"
    "            words[n++]=$word\n"
    "        fi\n"
    "    done\n"
    "    cur=${words[n - 1]}\n"
    "    program=${COMP_WORDS[0]/#\\~\\//$HOME/}\n"
    "    if [[ $program == *foretell-server ]]; then\n"
    "        program=${program%-server}\n"
    "        words=(serve \"${words[@]}\")\n"
    "    fi\n"
    "    while IFS= read -r line; do\n"
    "        if [[ $line == :files ]]; then files=yes; else offered+=(\"${line%%$'\\t'*}\"); fi\n"
    "    done < <(\"$program\" __complete \"${words[@]}\" 2>/dev/null)\n"
    "    COMPREPLY=()\n"
    "    for word in \"${offered[@]}\"; do\n"
    "        # readline stands behind the = where it took the word apart\n"
    "        if [[ $cur == --*=* && $COMP_WORDBREAKS == *=* ]]; then word=${word#*=}; fi\n"
    "        COMPREPLY+=(\"$word\")\n"
    "    done\n"
    "    if [[ $files ]]; then\n"
    "        if [[ ${#COMPREPLY[@]} -eq 0 ]]; then\n"
    "            compopt -o default -o filenames 2>/dev/null\n"
    "        else\n"
    "            compopt -o filenames 2>/dev/null\n"
    "            while IFS= read -r line; do COMPREPLY+=(\"$line\"); done < <(compgen -f -- "
    "\"$cur\")\n"
    "        fi\n"
    "    fi\n"
    "}\n"
    "complete -F _foretell foretell foretell-server\n";

static const char zsh[] =
    "#compdef foretell foretell-server\n"
    "# zsh completion for foretell and foretell-server\n"
    "_foretell() {\n"
    "    local -a asked lines offered\n"
    "    local line program=${words[1]/#\\~\\//$HOME/} files=\n"
    "    asked=(\"${(@Q)words[2,CURRENT]}\")\n"
    "    if [[ $program == *foretell-server ]]; then\n"
    "        program=${program%-server}\n"
    "        asked=(serve \"${asked[@]}\")\n"
    "    fi\n"
    "    lines=(\"${(@f)$($program __complete \"${asked[@]}\" 2>/dev/null)}\")\n"
    "    for line in \"${lines[@]}\"; do\n"
    "        if [[ $line == :files ]]; then\n"
    "            files=yes\n"
    "        elif [[ -n $line ]]; then\n"
    "            offered+=(\"${${line%%$'\\t'*}//:/\\\\:}:${line#*$'\\t'}\")\n"
    "        fi\n"
    "    done\n"
    "    (( ${#offered} )) && _describe foretell offered\n"
    "    if [[ -n $files ]]; then\n"
    "        [[ $PREFIX == --*=* ]] && compset -P '*='\n"
    "        _files\n"
    "    fi\n"
    "}\n"
    "if [[ $funcstack[1] == _foretell ]]; then\n"
    "    _foretell \"$@\"\n"
    "else\n"
    "    compdef _foretell foretell foretell-server\n"
    "fi\n";

static const char fish[] = "# fish completion for foretell and foretell-server\n"
                           "function __foretell_complete\n"
                           "    set -l words (commandline -opc)\n"
                           "    set -l current (commandline -ct)\n"
                           "    test (count $current) -gt 0; or set current ''\n"
                           "    set -l program (string replace -r '^~/' $HOME/ -- $words[1])\n"
                           "    set -e words[1]\n"
                           "    if string match -q '*foretell-server' -- $program\n"
                           "        set program (string replace -r -- '-server$' '' $program)\n"
                           "        set words serve $words\n"
                           "    end\n"
                           "    for line in ($program __complete $words $current 2>/dev/null)\n"
                           "        if test \"$line\" = :files\n"
                           "            if string match -q -- '--*=*' $current\n"
                           "                set -l name (string split -m 1 = -- $current)\n"
                           "                for path in (__fish_complete_path $name[2])\n"
                           "                    echo $name[1]=$path\n"
                           "                end\n"
                           "            else\n"
                           "                __fish_complete_path $current\n"
                           "            end\n"
                           "        else\n"
                           "            echo $line\n"
                           "        end\n"
                           "    end\n"
                           "end\n"
                           "complete -c foretell -f -a '(__foretell_complete)'\n"
                           "complete -c foretell-server -f -a '(__foretell_complete)'\n";

int cli_completion(int argc, char **argv)
{
    static const struct {
        const char *name, *script;
    } shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};
    cli_options options;
    int code = cli_parse(argc, argv, CLI_COMPLETION, &options);
    for (size_t i = 0; code < 0 && i < sizeof shells / sizeof shells[0]; i++) {
        if (strcmp(options.positional[0], shells[i].name) == 0)
            code = cli_print(shells[i].script);
    }
    if (code < 0)
        code = cli_usage("completion", "bash, zsh and fish are known, not '%s'",
                         options.positional[0]);
    cli_options_free(&options);
    return code;
}
