/*
 * The words that stop_words='english' leaves out: scikit-learn's list (sklearn.feature_extraction
 * ._stop_words, from the Glasgow Information Retrieval Group), the same in all versions from 0.20
 * to 1.9. Each word ends with a zero.
 */
#include "estimators/text/vectorizers.h"

const uint32_t ftl_english_stop_word_count = 318;
const char ftl_english_stop_words[] =
    "a\0about\0above\0across\0after\0afterwards\0again\0against\0all\0almost\0alone\0along\0"
    "already\0also\0although\0always\0am\0among\0amongst\0amoungst\0amount\0an\0and\0another\0"
    "any\0anyhow\0anyone\0anything\0anyway\0anywhere\0are\0around\0as\0at\0back\0be\0became\0"
    "because\0become\0becomes\0becoming\0been\0before\0beforehand\0behind\0being\0below\0"
    "beside\0besides\0between\0beyond\0bill\0both\0bottom\0but\0by\0call\0can\0cannot\0cant\0"
    "co\0con\0could\0couldnt\0cry\0de\0describe\0detail\0do\0done\0down\0due\0during\0each\0"
    "eg\0eight\0either\0eleven\0else\0elsewhere\0empty\0enough\0etc\0even\0ever\0every\0"
    "everyone\0everything\0everywhere\0except\0few\0fifteen\0fifty\0fill\0find\0fire\0first\0"
    "five\0for\0former\0formerly\0forty\0found\0four\0from\0front\0full\0further\0get\0give\0"
    "go\0had\0has\0hasnt\0have\0he\0hence\0her\0here\0hereafter\0hereby\0herein\0hereupon\0"
    "hers\0herself\0him\0himself\0his\0how\0however\0hundred\0i\0ie\0if\0in\0inc\0indeed\0"
    "interest\0into\0is\0it\0its\0itself\0keep\0last\0latter\0latterly\0least\0less\0ltd\0"
    "made\0many\0may\0me\0meanwhile\0might\0mill\0mine\0more\0moreover\0most\0mostly\0move\0"
    "much\0must\0my\0myself\0name\0namely\0neither\0never\0nevertheless\0next\0nine\0no\0"
    "nobody\0none\0noone\0nor\0not\0nothing\0now\0nowhere\0of\0off\0often\0on\0once\0one\0"
    "only\0onto\0or\0other\0others\0otherwise\0our\0ours\0ourselves\0out\0over\0own\0part\0"
    "per\0perhaps\0please\0put\0rather\0re\0same\0see\0seem\0seemed\0seeming\0seems\0serious\0"
    "several\0she\0should\0show\0side\0since\0sincere\0six\0sixty\0so\0some\0somehow\0someone\0"
    "something\0sometime\0sometimes\0somewhere\0still\0such\0system\0take\0ten\0than\0that\0"
    "the\0their\0them\0themselves\0then\0thence\0there\0thereafter\0thereby\0therefore\0"
    "therein\0thereupon\0these\0they\0thick\0thin\0third\0this\0those\0though\0three\0through\0"
    "throughout\0thru\0thus\0to\0together\0too\0top\0toward\0towards\0twelve\0twenty\0two\0un\0"
    "under\0until\0up\0upon\0us\0very\0via\0was\0we\0well\0were\0what\0whatever\0when\0whence\0"
    "whenever\0where\0whereafter\0whereas\0whereby\0wherein\0whereupon\0wherever\0whether\0"
    "which\0while\0whither\0who\0whoever\0whole\0whom\0whose\0why\0will\0with\0within\0"
    "without\0would\0yet\0you\0your\0yours\0yourself\0yourselves\0";
